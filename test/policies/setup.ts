/** What the tests of policies share: a gateway in front of a strict stand-in for a vendor, and what goes up for a request. */
import { afterAll, expect } from 'vitest'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { ask, type Told } from '../helpers/callers.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { jsonOf } from '../upstreams/seen.ts'

export interface Place {
  readonly gateway: TestGateway
  readonly fake: FakeUpstream
  close(): Promise<void>
}

export async function startPlace(
  start: () => Promise<FakeUpstream>,
  more: Partial<UpstreamConfig> = {},
  options: Partial<GatewayOptions> = {},
): Promise<Place> {
  const fake = await start()
  const { protocol, dialect, baseUrl, key } = fake
  const upstreamConfig = { name: dialect, protocol, dialect, baseUrl, keys: [key], ...more }
  const gateway = await startGateway({ upstream: baseUrl, upstreamConfig, ...options })
  return {
    gateway,
    fake,
    close: async () => {
      await gateway.close()
      await fake.close()
    },
  }
}

/** For all tests of a file, and closed after them. */
export async function placeFor(start: () => Promise<FakeUpstream>): Promise<Place> {
  const place = await startPlace(start)
  afterAll(() => place.close())
  return place
}

export interface Asked extends Told {
  /** The JSON bodies that went up. */
  // biome-ignore lint/suspicious/noExplicitAny: documents of every vendor, looked into by tests
  readonly sent: readonly any[]
}

const imagesPath = '/v1/images/generations'

/** A request on OpenAI's route, with a prompt unless it brings one. */
export async function paint(
  { gateway, fake }: Place,
  body: object,
  headers: Record<string, string> = {},
): Promise<Asked> {
  fake.reset()
  const told = await ask(gateway, imagesPath, { prompt: 'A red kite', ...body }, headers)
  return { ...told, sent: fake.requests.filter(({ body: { kind } }) => kind === 'json').map(jsonOf) }
}

/** A request on Google's route, with contents unless it brings some. */
export async function generate({ gateway, fake }: Place, model: string, body: object): Promise<Asked> {
  fake.reset()
  const contents = [{ role: 'user', parts: [{ text: 'A red kite' }] }]
  const told = await ask(gateway, `/v1beta/models/${model}:generateContent`, { contents, ...body })
  return { ...told, sent: fake.requests.filter(({ body: { kind } }) => kind === 'json').map(jsonOf) }
}

/** `[status, param, nobody was called]` of a refusal on OpenAI's route. */
export const refusalOf = ({ status, json }: Asked, { fake }: Place) => [
  status,
  json.error?.param,
  fake.requests.length === 0,
]

/** A refusal in full: 400 naming `param` with `code`, nobody called and nothing tried. @returns what is told. */
export async function refused(
  place: Place,
  body: object,
  param: string,
  code: string | null = 'invalid_value',
): Promise<string> {
  const { status, json, reason, line } = await paint(place, body)
  expect(json.error).toMatchObject({ type: 'invalid_request_error', param, code })
  expect([status, place.fake.requests.length]).toEqual([400, 0])
  if (code) expect(reason).toBe(code)
  expect(line).toMatchObject({ outcome: 'failed', status: 400, attempts: 0 })
  return json.error.message
}

/** The fields that an answer names as ignored, in the order of the alphabet. */
export const ignoredIn = ({ headers }: Pick<Told, 'headers'>): readonly string[] =>
  headers.get('x-plantain-ignored-params')?.split(', ').toSorted() ?? []
