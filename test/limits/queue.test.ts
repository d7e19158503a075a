/** Waiting for a limit instead of being refused: order, bounds, and that nothing is lost. */
import { describe, expect, test } from 'vitest'
import { limitHeaders, refusalError } from '../../src/limits/decision.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import type { LimitStore } from '../../src/limits/store.ts'
import { admitted, checkSchedules, gone, openQueue, refused, sleep, waits } from './queueing.ts'

const memory = (windowMs = 60_000) => createMemoryStore({ now: () => performance.now(), windowMs })
const done = { outcome: 'ok' } as const

describe('in line', () => {
  test('a place that is given back goes to who has waited longest', async () => {
    const { limits, asker } = openQueue(memory())
    let running = await admitted(asker().admit())
    const order: number[] = []
    const line = [0, 1, 2, 3].map(async nth => {
      const decision = await admitted(asker().admit())
      order.push(nth)
      return decision
    })
    for (const next of line) {
      await limits.settle(running, done)
      running = await next
    }
    expect(order).toEqual([0, 1, 2, 3])
  })

  test('who comes at the moment in which a place is free does not overtake', async () => {
    const { limits, asker } = openQueue(memory())
    const first = await admitted(asker().admit())
    const waiting = asker().admit()
    await waits(waiting)
    const freed = limits.settle(first, done)
    const newcomer = asker().admit()
    await freed
    const late = asker().admit()
    const second = await admitted(waiting)
    await waits(Promise.race([newcomer, late]))
    await limits.settle(second, done)
    await limits.settle(await admitted(newcomer), done)
    await admitted(late)
  })

  test('two places that are free at once are taken by two', async () => {
    const { limits, asker } = openQueue(memory())
    const two = { limits: { concurrent: 2 } }
    const running = [await admitted(asker(two).admit()), await admitted(asker(two).admit())]
    const line = [0, 1, 2].map(() => asker(two).admit())
    await Promise.all(running.map(decision => limits.settle(decision, done)))
    await Promise.all(line.slice(0, 2).map(admitted))
    await waits(Promise.race(line.slice(2)))
  })

  test('callers have lines of their own', async () => {
    const { asker } = openQueue(memory())
    await admitted(asker().admit())
    const waiting = asker().admit()
    await admitted(asker({ caller: 'team-b' }).admit())
    await waits(waiting)
  })

  test('who waits for one model holds up nobody who asks for another, and is not starved by them', async () => {
    const { limits, asker } = openQueue(memory())
    const both = {
      limits: { concurrent: 2 },
      modelLimits: [{ model: 'pro', limits: { concurrent: 1 } }],
    }
    const pro = await admitted(asker({ ...both, model: 'pro' }).admit())
    const secondPro = asker({ ...both, model: 'pro' }).admit()
    await waits(secondPro)
    const flash = await admitted(asker({ ...both, model: 'flash' }).admit())
    const laterFlash = asker({ ...both, model: 'flash' }).admit()
    await waits(Promise.race([secondPro, laterFlash]))
    await limits.settle(pro, done)
    const running = await admitted(secondPro)
    await waits(laterFlash)
    await limits.settle(running, done)
    await admitted(laterFlash)
    await limits.settle(flash, done)
  })

  test('who is found to need something else too is not overtaken while changing lanes', async () => {
    const { limits, asker } = openQueue(memory(600))
    const both = { limits: { concurrent: 1, imagesPerMinute: 4 } }
    const first = await admitted(asker({ ...both, images: 1 }).admit())
    const order: string[] = []
    const line = (['three', 'two'] as const).map(async name => {
      const decision = await admitted(asker({ ...both, images: name === 'three' ? 3 : 2 }).admit())
      order.push(name)
      await limits.settle(decision, { ...done, images: 0 })
    })
    await waits(Promise.race(line))
    // It came to more than it had asked for: there is room for two, but not for three.
    await limits.settle(first, { ...done, images: 2 })
    await Promise.all(line)
    expect(order).toEqual(['three', 'two'])
  })

  test('nothing is held by those who wait', async () => {
    const { limits, asker } = openQueue(memory())
    const all = { limits: { concurrent: 1, requestsPerMinute: 3, imagesPerDay: 3 } }
    const first = await admitted(asker(all).admit())
    const leavers = [asker(all), asker(all)]
    const left = leavers.map(leaver => leaver.admit())
    await waits(Promise.race(left))
    for (const leaver of leavers) leaver.leave()
    await Promise.allSettled(left)
    await limits.settle(first, done)
    for (let nth = 0; nth < 2; nth++) await limits.settle(await admitted(asker(all).admit()), done)
    await refused(asker({ ...all, queue: null }).admit())
  })
})

describe('the line has a bound', () => {
  test('the one too many is refused at once, as it would be without a line, and so it is until one has left', async () => {
    const { limits, asker } = openQueue(memory())
    const queue = { max: 2, waitSeconds: 30 }
    const first = await admitted(asker().admit())
    const [second, third] = [asker({ queue }), asker({ queue })]
    const [waiting, leaving] = [second.admit(), third.admit()]
    const error = refusalError(await refused(asker({ queue }).admit()))
    expect([error.kind, error.facts.retryAfterMs, error.facts.dimension]).toEqual(['rate-limited', 1000, 'concurrent'])
    expect([...limits.waiting()]).toEqual([['team-a', 2]])
    third.leave()
    await expect(leaving).rejects.toBe(gone)
    const another = asker({ queue }).admit()
    await waits(another)
    await limits.settle(first, done)
    await limits.settle(await admitted(waiting), done)
    await admitted(another)
    expect([...limits.waiting()]).toEqual([])
  })

  test('one caller’s line takes no place in another’s', async () => {
    const { asker } = openQueue(memory())
    const queue = { max: 1, waitSeconds: 30 }
    for (const caller of ['team-a', 'team-b']) await admitted(asker({ caller }).admit())
    const waiting = ['team-a', 'team-b'].map(caller => asker({ caller, queue }).admit())
    await waits(Promise.race(waiting))
  })

  test('calls of one exchange that wait side by side count once', async () => {
    const { limits, asker } = openQueue(memory(), [{ name: 'google', keys: ['k'], limits: { concurrent: 1 } }])
    const exchange = asker({ queue: { max: 1, waitSeconds: 30 } })
    const calls = [0, 1, 2].map(() => exchange.admitCall('google'))
    await waits(Promise.all(calls))
    expect([...limits.waiting()]).toEqual([['team-a', 1]])
    await refused(asker({ queue: { max: 1, waitSeconds: 30 } }).admitCall('google'))
    for (const call of calls) await limits.settleCall(await call, { outcome: 'ok' })
  })
})

describe('a wait ends', () => {
  test('who leaves is gone from the line, and the next moves up', async () => {
    const { limits, asker } = openQueue(memory())
    const first = await admitted(asker().admit())
    const leaver = asker()
    const [left, next] = [leaver.admit(), asker().admit()]
    await waits(Promise.race([left, next]))
    leaver.leave()
    await expect(left).rejects.toBe(gone)
    await limits.settle(first, done)
    await admitted(next)
  })

  test('who leaves while the store answers gives back what it granted', async () => {
    const store = memory()
    let leave = () => {}
    const slow: LimitStore = {
      ...store,
      ready: () => true,
      async reserve(hold, withinMs) {
        const verdict = await store.reserve(hold, withinMs)
        leave()
        await sleep(5)
        return verdict
      },
    }
    const { limits, asker } = openQueue(slow)
    const first = await admitted(asker().admit())
    const leaver = asker()
    const [left, next] = [leaver.admit(), asker().admit()]
    await waits(Promise.race([left, next]))
    leave = leaver.leave
    await limits.settle(first, done)
    await expect(left).rejects.toBe(gone)
    leave = () => {}
    await admitted(next)
  })

  test('after wait_s with the refusal that it would have been, and not before', async () => {
    const { asker } = openQueue(memory())
    await admitted(asker().admit())
    const beganMs = performance.now()
    const line = [0, 1].map(() => asker({ queue: { max: 9, waitSeconds: 0.15 } }).admit())
    for (const waiting of line) {
      const error = refusalError(await refused(waiting))
      expect(performance.now() - beganMs).toBeGreaterThanOrEqual(145)
      expect(error.message).toMatch(/^Rate limit reached for concurrent requests: 1 at a time\. Please try again in 1s/)
      expect(error.facts.retryAfterMs).toBe(1000)
    }
  })

  test('before the deadline, early enough for the refusal to arrive', async () => {
    const { asker } = openQueue(memory())
    await admitted(asker().admit())
    const deadlineMs = performance.now() + 250
    // On a machine that stalls, timers are late, but still one after the other.
    let isOver = false
    setTimeout(() => {
      isOver = true
    }, 250)
    await refused(asker({ deadlineMs }).admit())
    expect(isOver).toBe(false)
  })

  test('all waits of an exchange together are no longer than wait_s', async () => {
    const { limits, asker } = openQueue(memory(), [{ name: 'google', keys: ['k'], limits: { concurrent: 1 } }])
    const first = await admitted(asker().admit())
    await admitted(asker({ queue: null }).admitCall('google'))
    const beganMs = performance.now()
    const exchange = asker({ queue: { max: 9, waitSeconds: 1 } })
    const waiting = exchange.admit()
    await waits(waiting)
    await limits.settle(first, done)
    await admitted(waiting)
    await refused(exchange.admitCall('google'))
    expect(exchange.patience?.waitedMs).toBeLessThan(2 * 1_000)
    expect(exchange.patience?.waitedMs).toBeLessThanOrEqual(performance.now() - beganMs)
  })

  test('at once where the store does not answer', async () => {
    const store = memory()
    let away = false
    const reserve: LimitStore['reserve'] = (hold, withinMs) =>
      away ? Promise.reject(new Error('The store is away.')) : store.reserve(hold, withinMs)
    const { limits, asker } = openQueue({ ...store, ready: () => true, reserve })
    const first = await admitted(asker().admit())
    const line = [asker().admit(), asker().admit()]
    await waits(Promise.race(line))
    away = true
    const outcome = Promise.allSettled(line)
    await limits.settle(first, done)
    for (const one of await outcome) expect(one).toMatchObject({ reason: { kind: 'overloaded' } })
  })
})

describe('a minute’s window', () => {
  test('that is over soon enough is waited for, one that is not is refused at once with the true wait', async () => {
    const { asker } = openQueue(memory(300))
    const limited = { limits: { requestsPerMinute: 1 } }
    await admitted(asker(limited).admit())
    const { wait } = await refused(asker({ ...limited, queue: { max: 9, waitSeconds: 0.1 } }).admit())
    expect(wait).toBeGreaterThan(100)
    const patient = asker(limited)
    await admitted(patient.admit())
    expect(patient.patience?.waitedMs).toBeGreaterThan(0)
  })

  test('that never holds so much is not waited for', async () => {
    const { asker } = openQueue(memory())
    const decision = await refused(asker({ limits: { imagesPerMinute: 3 }, images: 4 }).admit())
    expect(refusalError(decision).kind).toBe('invalid-request')
  })

  test('that never holds so much is not waited for behind others either, nor refused as they would be', async () => {
    const limits = { concurrent: 1, imagesPerMinute: 3 }
    const { asker } = openQueue(memory(), [{ name: 'google', keys: ['k'], limits }])
    const team = { limits, queue: { max: 1, waitSeconds: 10 } }
    await admitted(asker(team).admit())
    await admitted(asker(team).admitCall('google'))
    const other = { ...team, caller: 'team-b' }
    const line = [asker(team).admit(), asker(other).admitCall('google')]
    await waits(Promise.race(line))
    const tooMany = refusalError(await refused(asker({ ...team, images: 4 }).admit()))
    expect(tooMany.message).toContain('This request comes to 4 images, and your limit is 3 per minute')
    const call = asker({ ...team, caller: 'team-c', images: 4 }).admitCall('google')
    expect(refusalError(await refused(call)).message).toContain('This request alone is above it.')
    await waits(Promise.race(line))
  })

  test('is told of as it stands by then, and of no limits but one’s own', async () => {
    const { asker } = openQueue(memory(600))
    const limited = {
      limits: { requestsPerMinute: 1, budgetMicroUsdPerDay: 100 },
      modelLimits: [{ model: 'pro', limits: { imagesPerMinute: 5 } }],
      queue: { max: 1, waitSeconds: 10 },
    }
    await admitted(asker(limited).admit())
    const first = asker({ ...limited, model: 'pro', images: 3 })
    const waiting = first.admit()
    await waits(waiting)
    await sleep(200)
    const headers = limitHeaders(await refused(asker({ ...limited, model: 'flash' }).admit()))
    expect(headers['x-ratelimit-reset-requests']).toMatch(/^[1-4]?\d?\dms$/)
    expect(headers).not.toHaveProperty('x-ratelimit-limit-images')
    await admitted(waiting)
  })

  test('who needs less than those before does not overtake', async () => {
    const { asker } = openQueue(memory(300))
    const limited = { limits: { imagesPerMinute: 2 } }
    await admitted(asker(limited).admit())
    await sleep(100)
    await admitted(asker(limited).admit())
    const order: string[] = []
    const both = asker({ ...limited, images: 2 }).admit()
    await waits(both)
    // For one alone there is room much sooner than for two.
    const single = asker(limited).admit()
    await Promise.all([both.then(() => order.push('both')), single.then(() => order.push('single'))])
    expect(order).toEqual(['both', 'single'])
  })
})

describe('an upstream', () => {
  const upstreams = [
    {
      name: 'google',
      keys: ['k1', 'k2'],
      keySettings: [
        { project: 'one', limits: { concurrent: 1 } },
        { project: 'two', limits: { concurrent: 1 } },
      ],
    },
  ]

  test('is waited for by calls of all callers in one line, whatever the key', async () => {
    const { limits, asker } = openQueue(memory(), upstreams)
    const running = [await asker().admitCall('google'), await asker().admitCall('google')]
    const order: string[] = []
    const line = ['team-a', 'team-b', 'team-a', 'team-c'].map(async caller => {
      const call = await admitted(asker({ caller }).admitCall('google'))
      order.push(caller)
      return call
    })
    await waits(Promise.race(line))
    for (const next of line) {
      const over = running.shift()
      if (over) await limits.settleCall(over, { outcome: 'failed' })
      running.push(await next)
    }
    expect(order).toEqual(['team-a', 'team-b', 'team-a', 'team-c'])
  })

  test('who does not wait is refused at once, and overtakes nobody who does', async () => {
    const { limits, asker } = openQueue(memory(), upstreams)
    const [first] = [await asker().admitCall('google'), await asker().admitCall('google')]
    const waiting = asker().admitCall('google')
    await waits(waiting)
    const freed = limits.settleCall(first, { outcome: 'not-sent' })
    const error = refusalError(await refused(asker({ caller: 'team-b', queue: null }).admitCall('google')))
    expect(error.facts).toMatchObject({ notSent: true, retryAfterMs: 1000 })
    await freed
    await admitted(waiting)
  })

  test('without limits is waited for by nobody', async () => {
    const { asker } = openQueue(memory(), upstreams)
    await admitted(asker().admitCall('other'))
  })
})

test('metrics hear of one decision for each exchange, however often the store was asked', async () => {
  const { limits, asker, events } = openQueue(memory())
  const first = await admitted(asker().admit())
  const impatient = asker({ queue: { max: 9, waitSeconds: 1 } }).admit()
  const patient = asker().admit()
  await refused(impatient)
  await limits.settle(first, done)
  await admitted(patient)
  expect(events.map(({ decision }) => decision)).toEqual(['admitted', 'refused', 'admitted'])
})

test('in every schedule: no more at work than may, first in first out, nobody forgotten, all given back', async () => {
  await checkSchedules(() => memory(), 15)
})
