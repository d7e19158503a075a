import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createRoom } from '../../src/memory/room.ts'

const never = new AbortController().signal
const turn = () => new Promise(resolve => setImmediate(resolve))

/** Takes, and says in `order` when it got it. */
function take(room: ReturnType<typeof createRoom>, bytes: number, order: string[], name: string, signal = never) {
  const taken = room.take(bytes, signal).then(giveBack => {
    order.push(name)
    return giveBack
  })
  taken.catch(() => order.push(`${name} left`))
  return taken
}

test('room is given at once while there is some, and given back once', async () => {
  const room = createRoom(100)
  const giveBack = await room.take(60, never)
  await room.take(40, never)
  expect(room.bytesInUse).toBe(100)
  giveBack()
  giveBack()
  expect(room.bytesInUse).toBe(40)
})

test('who came first is served first: a small body does not overtake a large one', async () => {
  const room = createRoom(100)
  const order: string[] = []
  const giveBack = await room.take(90, never)
  const large = take(room, 50, order, 'large')
  const small = take(room, 5, order, 'small')
  await turn()
  expect(order).toEqual([])
  giveBack()
  await Promise.all([large, small])
  expect(order).toEqual(['large', 'small'])
  expect(room.bytesInUse).toBe(55)
})

test('a body larger than all the room enters when it is alone', async () => {
  const room = createRoom(100)
  const order: string[] = []
  const giveBack = await room.take(1, never)
  const huge = take(room, 1000, order, 'huge')
  await turn()
  expect(order).toEqual([])
  giveBack()
  const giveBackHuge = await huge
  const next = take(room, 1, order, 'next')
  await turn()
  expect([order, room.bytesInUse]).toEqual([['huge'], 1000])
  giveBackHuge()
  await next
  expect(room.bytesInUse).toBe(1)
})

test('who leaves the line makes way for those behind', async () => {
  const room = createRoom(100)
  const order: string[] = []
  const controller = new AbortController()
  await room.take(90, never)
  const large = take(room, 50, order, 'large', controller.signal)
  const small = take(room, 5, order, 'small')
  controller.abort(new Error('the caller left'))
  await expect(large).rejects.toThrow('the caller left')
  await small
  expect(order.toSorted()).toEqual(['large left', 'small'])
  expect(room.bytesInUse).toBe(95)
})

test('who would have to wait can be told so at once instead', async () => {
  const room = createRoom(100)
  const giveBack = room.tryTake(90)
  expect([giveBack === null, room.bytesInUse]).toEqual([false, 90])
  expect(room.tryTake(11)).toBeNull()
  const waiting = room.take(50, never)
  // There is room for it, but somebody came before.
  expect(room.tryTake(1)).toBeNull()
  giveBack?.()
  giveBack?.()
  await waiting
  expect(room.bytesInUse).toBe(50)
  expect(room.tryTake(50)).not.toBeNull()
})

test('who left before asking takes nothing', async () => {
  const room = createRoom(100)
  await expect(room.take(10, AbortSignal.abort(new Error('gone')))).rejects.toThrow('gone')
  expect(room.bytesInUse).toBe(0)
})

test('an abort after room was given changes nothing', async () => {
  const room = createRoom(100)
  const controller = new AbortController()
  const giveBack = await room.take(10, controller.signal)
  controller.abort()
  expect(room.bytesInUse).toBe(10)
  giveBack()
  expect(room.bytesInUse).toBe(0)
})

test('whoever comes, waits, leaves and gives back: never more than the budget but for one alone, and nothing stays', async () => {
  const visit = fc.record({ bytes: fc.integer({ min: 1, max: 150 }), leaves: fc.boolean(), stays: fc.nat(3) })
  await fc.assert(
    fc.asyncProperty(fc.array(visit, { maxLength: 25, size: 'max' }), async visits => {
      const room = createRoom(100)
      let inside = 0
      let exceeded = false
      await Promise.allSettled(
        visits.map(async ({ bytes, leaves, stays }) => {
          const controller = new AbortController()
          const taken = room.take(bytes, controller.signal)
          if (leaves) queueMicrotask(() => controller.abort())
          const giveBack = await taken
          inside += 1
          for (let turns = 0; turns < stays; turns++) {
            if (room.bytesInUse > 100 && inside > 1) exceeded = true
            await turn()
          }
          inside -= 1
          giveBack()
        }),
      )
      expect(exceeded).toBe(false)
      expect(room.bytesInUse).toBe(0)
    }),
    { numRuns: 100 },
  )
})
