/** Fields that the upstream has no word for: never sent, never lost in silence. */
import { describe, expect, test } from 'vitest'
import { ask } from '../helpers/callers.ts'
import { vendors } from '../upstreams/every.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { jsonOf } from '../upstreams/seen.ts'
import { ignoredIn, paint, placeFor, refusalOf, refused, startPlace } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const flash25 = 'gemini-2.5-flash-image'

const body = {
  ...{ quality: 'high', style: 'vivid', moderation: 'low', input_fidelity: 'high', user: 'me' },
  ...{ safety_identifier: 'me', complexity: 'low', steps: 30, cfg: 7, negative_prompt: 'rain', tomorrow: 1 },
}

test('what has no twin is accepted, not sent, and named', async () => {
  const { status, sent, headers } = await paint(google, body)
  expect([status, headers.get('x-plantain-ignored-params')?.split(', ').toSorted()]).toEqual([
    200,
    Object.keys(body).toSorted(),
  ])
  expect(sent.map(body => Object.keys(body).toSorted())).toEqual([['contents', 'generationConfig']])
})

test('a seed and a media resolution are sent where the upstream has them, else named', async () => {
  const fields = { seed: 7, media_resolution: 'high' }
  expect((await paint(google, fields)).sent[0]?.generationConfig).toMatchObject({
    seed: 7,
    mediaResolution: 'MEDIA_RESOLUTION_HIGH',
  })
  const { headers } = await paint(openai, { model: 'gpt-image-2', aspect_ratio: '1:1', ...fields })
  expect(headers.get('x-plantain-ignored-params')).toBe('seed, media_resolution')
})

test('searching the web is a tool where the model has it, else refused', async () => {
  expect((await paint(google, { enable_web_search: true })).sent[0]?.tools).toEqual([{ googleSearch: {} }])
  const told = await paint(google, { model: flash25, enable_web_search: true })
  expect(refusalOf(told, google)).toEqual([400, 'enable_web_search', true])
})

test('what has no twin is refused where the caller asks for strictness, or the operator does', async () => {
  const strict = { 'x-plantain-strict': 'true' }
  const told = await paint(google, { quality: 'high' }, strict)
  expect(refusalOf(told, google)).toEqual([400, 'quality', true])
  expect(told.json.error).toMatchObject({ code: 'unsupported_parameter', message: expect.stringContaining('quality') })
  expect((await paint(google, {}, strict)).status).toBe(200)
  const own = await startPlace(startGoogle, {}, { answers: { strictParameters: true } })
  expect(refusalOf(await paint(own, { style: 'vivid' }), own)).toEqual([400, 'style', true])
  await own.close()
})

test('names of any kind make a header that every client can read', async () => {
  const names = Object.fromEntries(Array.from({ length: 500 }, (_, index) => [`f${index}${'x'.repeat(90)}`, 1]))
  const { status, headers } = await paint(google, { 'ü\n☃': 1, ...names })
  expect(status).toBe(200)
  const header = headers.get('x-plantain-ignored-params') ?? ''
  expect(header).toMatch(/^[\x20-\x7e]+$/)
  expect(header.length).toBeLessThan(2100)
  expect(header).toMatch(/and \d+ more$/)
})

test('partial_images without a stream is one of them', async () => {
  expect(ignoredIn(await paint(google, { partial_images: 2 }))).toEqual(['partial_images'])
  await refused(google, { partial_images: 4 }, 'partial_images')
})

describe('what a model that nobody knows is asked for', () => {
  const all = vendors.filter(({ name }) => !['openai', 'azure'].some(own => name.startsWith(own)))
  test.each(all)('is sent to $name, or named', async ({ start }) => {
    const place = await startPlace(start)
    const { gateway, fake } = place
    const clear = { prompt: 'A kite', model: 'stranger', background: 'transparent' }
    const told = await ask(gateway, '/v1/images/generations', clear)
    expect(told.headers.get('x-plantain-ignored-params')).toBe('background')
    const strict = await ask(gateway, '/v1/images/generations', clear, { 'x-plantain-strict': 'true' })
    expect([strict.status, strict.json.error.param]).toEqual([400, 'background'])
    fake.reset()
    await ask(gateway, '/v1/images/generations', { prompt: 'A kite', model: 'stranger', image_size: '2K' })
    expect(fake.requests.map(request => JSON.stringify(jsonOf(request)))).toEqual([expect.stringContaining('"2K"')])
    await place.close()
  })
})
