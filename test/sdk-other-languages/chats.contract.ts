/** A chat in Google's form on an OpenAI upstream, whatever the program's language: what it has got, and what OpenAI was asked for. */
import { createHash } from 'node:crypto'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { FakeUpstream } from '../upstreams/contract.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { filesOf, jsonOf, textsOf } from '../upstreams/seen.ts'
import { openWorkshop, type Workshop } from './programs.ts'

const model = 'gpt-image-2'
const digest = (bytes: Buffer | undefined) => bytes && createHash('sha256').update(bytes).digest('hex')

/** @param run starts the program, with the model's name as its last argument. */
export function testChat(run: (workshop: Workshop, model: string) => Promise<unknown>): void {
  let openai: FakeUpstream
  let workshop: Workshop
  beforeAll(async () => {
    openai = await startOpenAI()
    workshop = await openWorkshop({ OPENAI_API_KEY: openai.key, OPENAI_BASE_URL: openai.baseUrl })
    await run(workshop, model)
  })
  afterAll(async () => {
    await workshop.close()
    await openai.close()
  })

  test('gets the picture of every turn, byte for byte', async () => {
    expect(openai.problems).toEqual([])
    const got = await Promise.all(['first', 'second', 'third'].map(workshop.file))
    expect(got.map(digest)).toEqual(openai.pictures.map(({ sha256 }) => sha256))
  })

  test('has the pictures of earlier turns and its own edited, with all that was said', async () => {
    const [first, second, third] = openai.requests
    expect(jsonOf(first)).toMatchObject({ model, prompt: 'A red kite', size: '1024x1024' })

    const [painted, again] = openai.pictures.map(({ sha256 }) => sha256)
    expect(second?.path).toBe('/v1/images/edits')
    expect(filesOf(second).map(({ bytes }) => digest(bytes))).toEqual([painted])
    expect(textsOf(second).prompt).toMatch(/A red kite.*Now a blue one/s)

    const sent = digest(await workshop.file('magenta.png'))
    expect(new Set(filesOf(third).map(({ bytes }) => digest(bytes)))).toEqual(new Set([painted, again, sent]))
    expect(textsOf(third).prompt).toMatch(/A red kite.*Now a blue one.*Hang this beside it/s)
  })
}
