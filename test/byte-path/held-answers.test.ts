import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { google } from '../../src/dialects/google.ts'
import type { Bytes } from '../../src/images/bytes.ts'
import { type AnswerMemory, createPlainMemory } from '../../src/memory/answer-memory.ts'
import type { HoldingPlaces } from '../../src/memory/held-document.ts'
import { SlabPool } from '../../src/memory/slabs.ts'
import { SpillSpace } from '../../src/memory/spill.ts'
import { createPool } from '../../src/net/pool.ts'
import type { OpenWindows } from '../../src/net/window-socket.ts'
import { createOutbound } from '../../src/protocols/gemini/index.ts'
import { createCredentials } from '../../src/upstreams/credentials.ts'
import { createUpstream, type HeldAnswer, type Upstream, type UpstreamCall } from '../../src/upstreams/upstream.ts'
import { eventually, openFilesIn } from '../helpers/descriptors.ts'
import { hashOf, type Painter, planOf, startPainter } from './painter.ts'

let directory: string
let painter: Painter
beforeEach(async () => {
  directory = mkdtempSync(join(tmpdir(), 'answers-'))
  painter = await startPainter()
})
afterEach(async () => {
  await painter.close()
  rmSync(directory, { recursive: true, force: true })
})

const ways: Readonly<
  Record<string, (budgetBytes: number) => { readonly memory: AnswerMemory; readonly openWindows?: OpenWindows }>
> = {
  slabs: budgetBytes => {
    const memory = new SlabPool(budgetBytes)
    return { memory, openWindows: () => memory.openWindows() }
  },
  'plain sockets': budgetBytes => ({ memory: createPlainMemory(budgetBytes) }),
}

interface Rig {
  readonly upstream: Upstream
  readonly places: HoldingPlaces
}

function rig(way: keyof typeof ways, url: string, memoryBytes: number, spillBytes = 1 << 30): Rig {
  const { memory, openWindows } = ways[way]?.(memoryBytes) ?? { memory: createPlainMemory(memoryBytes) }
  const places = { memory, spill: new SpillSpace(directory, spillBytes) }
  const pool = createPool(url, {
    connections: 32,
    connectMs: 5000,
    firstByteMs: 30_000,
    idleMs: 30_000,
    totalMs: 60_000,
    allowPrivateNetwork: false,
    openWindows,
  })
  const upstream = createUpstream({
    origin: '',
    name: 'painter',
    basePath: '',
    pool,
    credentials: createCredentials(['key'], 'x-goog-api-key'),
    places,
    maxDocumentBytes: 64 << 20,
    userAgent: 'test',
  })
  return { upstream, places }
}

const { decodeResult, superseded } = createOutbound(google)

const paint = (index: number, signal = new AbortController().signal): UpstreamCall => ({
  method: 'POST',
  path: '/',
  body: bodyOf(`paint ${index}`),
  signal,
  trail: '',
})

function bodyOf(text: string): Bytes {
  const bytes = Buffer.from(text)
  return { length: bytes.length, slices: () => [bytes], slice: () => bodyOf(text) }
}

async function hold({ upstream }: Rig, call: UpstreamCall): Promise<HeldAnswer> {
  const answer = await upstream.hold(call, superseded)
  if (!answer.ok) throw new Error(`status ${answer.status}`)
  return answer
}

/** The picture as it lies in its document, escapes and all. */
async function pictureIn(answer: HeldAnswer): Promise<string> {
  const parts = await decodeResult(answer)
  const images = parts.filter(part => part.type === 'image')
  const bytes = images.at(-1)?.base64
  const pieces: Buffer[] = []
  for await (const piece of bytes?.slices() ?? []) pieces.push(Buffer.from(piece))
  const text = Buffer.concat(pieces).toString()
  return hashOf([Buffer.from(text.replaceAll('\\u003d', '=').replaceAll('\\/', '/'))])
}

async function expectNothingLeft({ upstream, places: { memory, spill } }: Rig): Promise<void> {
  await upstream.close()
  expect(await eventually(() => memory.bytesInUse === 0 && spill.bytesInUse === 0 && !spill.line.moves)).toBe(true)
  expect(await eventually(() => openFilesIn(directory).length === 0)).toBe(true)
  expect(readdirSync(directory)).toEqual([])
}

// Not the URL-safe ones: those are read, but not the same text.
const numbers = Array.from({ length: 100 }, (_, index) => index).filter(index => index % 25 !== 8)

describe.each(Object.keys(ways))('over %s', way => {
  test.each([
    ['in memory', 256 << 20],
    ['in files', 2 << 20],
  ])(
    'answers that are held all at once, %s, stay what they are, and are gone when all is over',
    async (_where, memoryBytes) => {
      const parts = rig(way, painter.url, memoryBytes)
      const answers = await Promise.all(numbers.map(index => hold(parts, paint(index))))
      for (const [place, index] of numbers.entries()) {
        const answer = answers[place]
        expect(answer && (await pictureIn(answer))).toBe(hashOf(planOf(index).picture))
        // Every other one makes room for those that come then.
        if (place % 2) answer?.release()
      }
      const later = await Promise.all(numbers.map(index => hold(parts, paint(index + 1000))))
      for (const [place, index] of numbers.entries()) {
        const [answer, next] = [answers[place], later[place]]
        if (place % 2 === 0) expect(answer && (await pictureIn(answer))).toBe(hashOf(planOf(index).picture))
        expect(next && (await pictureIn(next))).toBe(hashOf(planOf(index + 1000).picture))
        answer?.release()
        next?.release()
        next?.release()
      }
      expect(parts.places.spill.bytesSpilled > 0).toBe(memoryBytes < 256 << 20)
      await expectNothingLeft(parts)
    },
  )

  test.each([0, 1 << 20])(
    'more answers than there is room for come one after the other, with a spill of %i',
    async spillBytes => {
      const parts = rig(way, painter.url, 1 << 20, spillBytes)
      await Promise.all(
        numbers.map(async index => {
          const answer = await hold(parts, paint(index))
          expect(await pictureIn(answer)).toBe(hashOf(planOf(index).picture))
          answer.release()
        }),
      )
      await expectNothingLeft(parts)
    },
  )

  test('calls that end at any moment leave nothing behind', async () => {
    const parts = rig(way, painter.url, 1 << 20)
    const ends = await Promise.all(
      numbers.map(async index => {
        const controller = new AbortController()
        setTimeout(() => controller.abort(new Error('the caller left')), (index % 50) * 10)
        const answer = await hold(parts, paint(index, controller.signal)).catch(() => null)
        answer?.release()
        return answer !== null
      }),
    )
    expect(ends).toContain(false)
    await expectNothingLeft(parts)
  })

  test('documents that are cut, too large, no JSON, or refusals are not held', async () => {
    const bodies: Readonly<Record<string, readonly [number, Buffer]>> = {
      cut: [200, Buffer.from(`{"data":"${'A'.repeat(3_000_000)}`)],
      large: [200, Buffer.from(`{"data":"${'A'.repeat(65 << 20)}"}`)],
      garbage: [200, Buffer.from(`<html>${'A'.repeat(300_000)}</html>`)],
      refusal: [429, Buffer.from(JSON.stringify({ error: { message: 'x'.repeat(2_000_000) } }))],
    }
    const server = createServer((request, response) => {
      const [status, body] = bodies[(request.url ?? '').slice(1)] ?? [500, Buffer.alloc(0)]
      response.on('error', () => {})
      response.writeHead(status, { 'content-length': body.length }).end(body)
    })
    await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
    const parts = rig(way, `http://127.0.0.1:${(server.address() as AddressInfo).port}`, 1 << 20)
    for (const name of Object.keys(bodies)) {
      const held = parts.upstream.hold({ ...paint(0), path: `/${name}` }, superseded)
      if (name === 'refusal') expect(await held).toMatchObject({ ok: false, status: 429 })
      else await expect(held).rejects.toMatchObject({ kind: 'upstream-failed' })
    }
    await expectNothingLeft(parts)
    server.close()
    server.closeAllConnections()
  })
})
