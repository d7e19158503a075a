import { once } from 'node:events'
import { readdirSync, readlinkSync } from 'node:fs'
import { Agent, type IncomingMessage, request } from 'node:http'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, describe, expect, test, vi } from 'vitest'
import { pictureAnswer } from '../faults/answers.ts'
import { type RawCall, type RawScript, type RawUpstream, rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { addressesOf, type GatewayProcess, type ProcessOptions, startProcess } from './gateway-process.ts'

vi.setConfig({ maxConcurrency: 5 })

const picture = pictureAnswer(50_000)
const running: { close(): unknown }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

interface Started {
  readonly gateway: GatewayProcess
  readonly upstream: RawUpstream
  readonly url: string
  readonly adminUrl: string
}

async function start(script: RawScript, options: Omit<ProcessOptions, 'env'> = {}): Promise<Started> {
  const upstream = await startRawUpstream(script)
  const env = { GEMINI_API_KEY: 'key-of-a-test', GEMINI_BASE_URL: upstream.url }
  const gateway = startProcess({ env, ...options })
  running.push(gateway, upstream)
  return { gateway, upstream, ...(await addressesOf(gateway)) }
}

function paint({ socket }: RawCall): void {
  socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${picture.bytes.length}`))
  socket.write(picture.bytes)
}

interface Told {
  readonly status: number | undefined
  readonly connection: string | undefined
  readonly body: string
}

/** A caller that would use its connection again. */
function keepAliveCaller(url: string) {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 })
  running.push({ close: () => agent.destroy() })
  const ask = async (path: string, body: object): Promise<Told> => {
    const call = request(url + path, { method: 'POST', agent, headers: { 'content-type': 'application/json' } })
    call.end(JSON.stringify(body))
    const [answer] = (await once(call, 'response')) as [IncomingMessage]
    const pieces: Buffer[] = []
    for await (const piece of answer) pieces.push(piece)
    return {
      status: answer.statusCode,
      connection: answer.headers.connection,
      body: Buffer.concat(pieces).toString(),
    }
  }
  return {
    translated: async () => {
      const told = await ask('/v1/images/generations', { model: 'gemini-2.5-flash-image', prompt: 'a kite' })
      return { ...told, picture: JSON.parse(told.body).data?.[0].b64_json as string }
    },
    relayed: async () => {
      const told = await ask('/v1beta/models/gemini-2.5-flash-image:generateContent', { contents: [] })
      return { ...told, picture: JSON.parse(told.body).candidates?.[0].content.parts[0].inlineData.data as string }
    },
  }
}

const statusOf = async (url: string) => (await fetch(url)).status

/** Vitest blames an assertion that is not awaited yet on whichever concurrent test ends first: so it is made of the end. */
const endOf = (answer: Promise<unknown>) =>
  answer.then(
    () => 'whole',
    () => 'cut',
  )

const isListening = (url: string) =>
  fetch(`${url}/healthz`).then(
    () => true,
    () => false,
  )

describe('a process that is told to end', { concurrent: true }, () => {
  test('serves on for grace_s, then finishes what is in flight and exits with 0', async () => {
    const held: RawCall[] = []
    let holding = false
    const { gateway, upstream, url, adminUrl } = await start(
      call => {
        if (holding) held.push(call)
        else paint(call)
      },
      { config: { drain: { grace_s: 1 } } },
    )
    const [idle, one, another, third] = [
      keepAliveCaller(url),
      keepAliveCaller(url),
      keepAliveCaller(url),
      keepAliveCaller(url),
    ]
    for (const caller of [idle, one, another, third]) {
      expect(await caller.translated()).toMatchObject({ status: 200, connection: 'keep-alive' })
    }
    expect(await statusOf(`${adminUrl}/readyz`)).toBe(200)

    holding = true
    const answers = [one.translated(), another.relayed()]
    while (held.length < 2) await upstream.nextCall()
    holding = false
    gateway.signal('SIGTERM')
    await gateway.line('draining')
    // Whoever asks while others still learn that it leaves is served, and told to connect anew: to somebody else.
    expect(await statusOf(`${adminUrl}/readyz`)).toBe(503)
    expect(await third.relayed()).toMatchObject({ status: 200, connection: 'close' })
    const { status, headers } = await fetch(`${url}/healthz`)
    expect([status, headers.get('connection')]).toEqual([200, 'close'])

    while (await isListening(url)) await sleep(20)
    expect(await statusOf(`${adminUrl}/readyz`)).toBe(503)
    expect(await statusOf(`${adminUrl}/livez`)).toBe(200)
    expect(await (await fetch(`${adminUrl}/metrics`)).text()).toContain(
      'plantain_upstream_in_flight{upstream="gemini"} 2',
    )

    for (const call of held) paint(call)
    for (const answer of await Promise.all(answers)) {
      expect(answer).toMatchObject({ status: 200, connection: 'close' })
      expect(answer.picture === picture.base64).toBe(true)
    }
    const answeredMs = performance.now()
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    // Callers' idle connections, which would last for 72 s, do not keep it.
    expect(performance.now() - answeredMs).toBeLessThan(72_000 / 10)
    expect(gateway.lines().filter(({ msg, outcome }) => msg === 'exchange' && outcome === 'ok')).toHaveLength(7)
    expect(gateway.output.err).toBe('')
  })

  test('cuts at timeout_s what is still in flight, and exits with 0', async () => {
    const { gateway, upstream, url } = await start(() => {}, { config: { drain: { timeout_s: 0.5 } } })
    const end = endOf(keepAliveCaller(url).translated())
    const called = await upstream.nextCall()
    gateway.signal('SIGTERM')
    expect(await end).toBe('cut')
    await called.closed
    expect(await gateway.exited).toEqual({ code: 0, signal: null })
    expect(gateway.lines().find(({ msg }) => msg === 'exchange')).toMatchObject({ outcome: 'left' })
  })

  test('twice, exits at once with 1', async () => {
    const { gateway, upstream, url } = await start(() => {})
    const end = endOf(keepAliveCaller(url).translated())
    await upstream.nextCall()
    gateway.signal('SIGTERM')
    await gateway.line('draining')
    gateway.signal('SIGINT')
    expect(await gateway.exited).toEqual({ code: 1, signal: null })
    expect(await end).toBe('cut')
  })

  test('by ending the npm that started it finishes what is under way, and lives on no further', async () => {
    const { gateway, upstream, url } = await start(
      async call => {
        await sleep(1_500)
        paint(call)
      },
      { byNpm: true },
    )
    const answer = keepAliveCaller(url).translated()
    await upstream.nextCall()
    gateway.signal('SIGTERM')
    expect((await answer).picture).toBe(picture.base64)
    await gateway.exited
    expect(gateway.lines()).toContainEqual(expect.objectContaining({ msg: 'draining', reason: 'npm has ended' }))
  })

  test('by SIGKILL leaves no answer behind on the disk', async () => {
    const { gateway, url } = await start(
      ({ socket }) => {
        socket.write(rawHead('200 OK', 'content-type: application/json', 'content-length: 100000000'))
        socket.write('{"text":"')
        socket.write(Buffer.alloc(8_000_000, 'a'))
      },
      { config: { answers: { memory: '1MiB' } } },
    )
    const end = endOf(keepAliveCaller(url).translated())
    // The name is gone a moment after the file was opened.
    while (!filesOf(gateway).some(path => path.endsWith(' (deleted)'))) await sleep(20)
    gateway.signal('SIGKILL')
    expect((await gateway.exited).signal).toBe('SIGKILL')
    expect(await end).toBe('cut')
    expect(readdirSync(gateway.spillDir)).toEqual([])
  })
})

/** Spill files that the process has open. */
function filesOf({ pid, spillDir }: GatewayProcess): readonly string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder)
    .flatMap(descriptor => {
      try {
        return [readlinkSync(`${folder}/${descriptor}`)]
      } catch {
        return [] // Closed meanwhile.
      }
    })
    .filter(path => path.startsWith(spillDir))
}
