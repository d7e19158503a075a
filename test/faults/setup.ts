/** What the tests of faults share: the two ways through the gateway, and what must hold after every exchange. */
import { readdirSync, readlinkSync } from 'node:fs'
import { expect } from 'vitest'
import type { TestGateway } from '../helpers/gateway.ts'
import { callRaw, type RawAnswer, type RawCallOptions } from './raw-caller.ts'

/** One way through the gateway: OpenAI's protocol, which is translated, or Gemini's, which is relayed. */
export interface Way {
  readonly name: 'translated' | 'relayed'
  readonly path: string
  readonly body: (prompt: string) => string
  /** The picture's base64 in a whole answer. */
  readonly pictureOf: (body: string) => string
  readonly errorOf: (body: string) => WireError
}

/** `code`: OpenAI's code, Google's status. */
export interface WireError {
  readonly message: string
  readonly code: string
}

const defaultModel = 'gemini-2.5-flash-image'

export const translatedAs = (model: string): Way => ({
  name: 'translated',
  path: '/v1/images/generations',
  body: prompt => JSON.stringify({ prompt, model }),
  pictureOf: body => JSON.parse(body).data[0].b64_json,
  errorOf: body => JSON.parse(body).error,
})

export const relayedAs = (model: string): Way => ({
  name: 'relayed',
  path: `/v1beta/models/${model}:generateContent`,
  body: prompt => JSON.stringify({ contents: [{ role: 'user', parts: [{ text: prompt }] }] }),
  pictureOf: body => JSON.parse(body).candidates[0].content.parts[0].inlineData.data,
  errorOf: body => {
    const { message, status } = JSON.parse(body).error
    return { message, code: status }
  },
})

export const translated = translatedAs(defaultModel)
export const relayed = relayedAs(defaultModel)
export const ways = [translated, relayed] as const

let calls = 0

/** Asks in one of the two ways on a bare socket. @returns the answer and the id by which the log knows it. */
export async function ask(
  gateway: TestGateway,
  way: Way,
  prompt: string,
  { headers, ...options }: RawCallOptions = {},
) {
  const id = newId()
  const answer = await callRaw(gateway.url, way.path, way.body(prompt), {
    ...options,
    headers: { 'x-request-id': id, ...headers },
  })
  return { id, answer }
}

export const newId = (): string => `fault-${++calls}`

/** Waits until it is so; the test's own time limit ends the wait. */
export async function eventually(isSo: () => boolean): Promise<void> {
  while (!isSo()) await new Promise(resolve => setTimeout(resolve, 5))
}

/** An answer that nobody could take for a picture: a whole error in the caller's own words, or an answer seen to be cut. */
export function expectError(way: Way, answer: RawAnswer, status: number, code: string): void {
  expect({ status: answer.status, whole: answer.whole }).toEqual({ status, whole: true })
  const error = way.errorOf(answer.body.toString())
  expect(error.code).toBe(code)
  expect(error.message).not.toMatch(/undici|UND_ERR|HPE_|socket|parse error|\bat .*\.[jt]s\b/i)
  expect(answer.reasonPhrase).toBe(code)
}

/** The upstream failed: Google has no 502, so its callers get a 503. */
export function expectFailure(way: Way, answer: RawAnswer): void {
  if (way.name === 'translated') expectError(way, answer, 502, 'upstream_failed')
  else expectError(way, answer, 503, 'UNAVAILABLE')
}

export function expectTimeout(way: Way, answer: RawAnswer): void {
  expectError(way, answer, 504, way.name === 'translated' ? 'timeout' : 'DEADLINE_EXCEEDED')
}

/** Files of the spill folder that are still there, by name or, unlinked, by an open descriptor of this process. */
export function spillFiles({ spillDir }: Pick<TestGateway, 'spillDir'>): readonly string[] {
  return [...readdirSync(spillDir), ...openFiles().filter(path => path.startsWith(spillDir))]
}

function openFiles(): readonly string[] {
  // Linux only. Elsewhere the folder alone is looked at.
  const folder = '/proc/self/fd'
  try {
    return readdirSync(folder).flatMap(descriptor => linkOf(`${folder}/${descriptor}`))
  } catch {
    return []
  }
}

function linkOf(path: string): readonly string[] {
  try {
    return [readlinkSync(path)]
  } catch {
    return []
  }
}

/** A metric's value, summed over the series whose labels match. */
export type Metrics = (name: string, labels?: Readonly<Record<string, string>>) => number

/** Metrics as they stand now: their text is made at most once a second, so a fresh one is waited for. */
export async function readMetrics({ adminUrl }: Pick<TestGateway, 'adminUrl'>): Promise<Metrics> {
  await new Promise(resolve => setTimeout(resolve, 1_050))
  const lines = (await (await fetch(`${adminUrl}/metrics`)).text()).split('\n')
  return (name, labels = {}) =>
    lines
      .filter(line => line.startsWith(`${name}{`) || line.startsWith(`${name} `))
      .filter(line => Object.entries(labels).every(([label, value]) => line.includes(`${label}="${value}"`)))
      .reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0)
}
