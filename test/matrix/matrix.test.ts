/** Every caller at every upstream: what goes up is what the vendor wants and the caller meant, what comes down is what the vendor gave. */

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { sha256 } from '../upstreams/form.ts'
import { type Asked, type Caller, callers, canAsk } from './callers.ts'
import { type Cell, cellOf } from './cells.ts'
import { type UpstreamKind, upstreams } from './upstreams.ts'
import { type Feature, type File, features, references as makeReferences } from './wishes.ts'

const folder = mkdtempSync(join(tmpdir(), 'plantain-matrix-'))
let references: readonly File[]
beforeAll(async () => {
  references = await makeReferences()
})
afterAll(() => rmSync(folder, { recursive: true }))

let asked = 0

describe.each(upstreams)('$name', upstream => {
  let fake: FakeUpstream
  let gateway: TestGateway
  beforeAll(async () => {
    fake = await upstream.start()
    gateway = await startGateway({ upstream: fake.baseUrl, upstreamConfig: upstream.configOf(fake, folder) })
  })
  afterAll(async () => {
    await gateway.close()
    await fake.close()
  })
  afterEach(() => fake.reset())

  describe.each(callers)('$name', caller => {
    const cells = features.filter(feature => canAsk(caller, feature))

    test.each(cells)('$name', async feature => {
      const cell = cellOf(caller, upstream, feature)
      const pictures = references.slice(0, cell.references)
      fake.answerNext(cell.order, cell.calls.length)
      const call = caller.ask({ ...feature, model: upstream.model, references: pictures })
      const id = `matrix-${asked++}`
      const response = await send(gateway, call, id)

      await expectTold(response, caller, feature, cell, fake)
      expect(fake.problems).toEqual([])
      expect(fake.ordered).toBe(0)
      expectSent(fake, upstream, cell, pictures)
      if (cell.passed) expectUntouched(fake, call)
      expectHeaders(response, upstream, feature, cell)
      expect(await lineOf(gateway, id)).toMatchObject({ outcome: cell.outcome, protocol: caller.protocol })
    })
  })
})

const send = (gateway: TestGateway, { path, headers, body }: Asked, id: string) =>
  fetch(gateway.url + path, { method: 'POST', headers: { ...headers, 'x-request-id': id }, body: new Uint8Array(body) })

/** What calls side by side paint comes in the order in which the gateway made them, which the vendor cannot know. */
const inAnyOrder = (cell: Cell) => (shas: readonly string[]) => (cell.calls.length > 1 ? shas.toSorted() : shas)

async function expectTold(
  response: Response,
  caller: Caller,
  { byAddress }: Feature,
  cell: Cell,
  fake: FakeUpstream,
): Promise<void> {
  const { heard } = cell
  if (heard === null) {
    // It had begun when it broke: never a whole answer.
    expect(response.status).toBe(200)
    return await expect(response.text()).rejects.toThrow()
  }
  const text = await response.text()
  const {
    pictures: held,
    addresses,
    ...rest
  } = caller.hear(response.status, response.headers.get('content-type') ?? '', text)
  expect(rest).toEqual(heard)
  // Never both.
  expect(byAddress ? held : addresses).toEqual([])
  const pictures = byAddress ? await Promise.all(addresses.map(shaAt)) : held
  const ordered = inAnyOrder(cell)
  const painted = cell.outcome === 'ok' ? fake.pictures.map(({ sha256 }) => sha256) : []
  expect(ordered(pictures)).toEqual(ordered(painted))
  expect(pictures.length > 0).toBe(cell.outcome === 'ok')
  expect(text).not.toContain(fake.key || 'Bearer')
}

const shaAt = async (url: string) => sha256(new Uint8Array(await (await fetch(url)).arrayBuffer()))

function expectSent(fake: FakeUpstream, { sent }: UpstreamKind, cell: Cell, files: readonly File[]): void {
  const pictures = files.map(({ sha256 }) => sha256)
  expect(fake.requests.map(sent)).toEqual(cell.calls.map(call => ({ ...call, pictures })))
}

/** But for the model's name, which `expectSent` has looked at. */
function expectUntouched(fake: FakeUpstream, { body }: Asked): void {
  const sent = fake.requests.map(({ bytes }) => withoutModel(bytes))
  expect(sent.map(text => text === withoutModel(body))).toEqual([true])
}

const withoutModel = (body: Buffer) =>
  body
    .toString('latin1')
    .replace(/"model":"[^"]+",/, '')
    .replace(/--[^\r]+\r\n[^\r]+name="model"\r\n\r\n[^\r]+\r\n/, '')

function expectHeaders({ headers }: Response, { model }: UpstreamKind, { count }: Feature, cell: Cell): void {
  expect(headers.get('retry-after')).toBe(cell.wait)
  expect(headers.get('x-plantain-model')).toBe(model)
  expect(headers.get('x-plantain-ignored-params')).toBe(null)
  expect(headers.get('x-plantain-images')).toBe(count > 1 && !cell.passed ? `${count}/${count}` : null)
}
