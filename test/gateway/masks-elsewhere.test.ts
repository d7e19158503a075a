/** Masked edits at upstreams of OpenAI's protocol, with masks and without, and masks that are named by their address. */
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { ask, read } from '../helpers/callers.ts'
import { postForm, textParts } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { differing, gradient, type Hole, isIn, maskWith, noise, see } from '../pixels/masked-pictures.ts'

const size = { width: 120, height: 90 }
const hole: Hole = { left: 30, top: 20, width: 60, height: 40 }
const outside = (x: number, y: number) => !isIn(hole, x, y)

let upstream: ScriptedUpstream
/** Of pictures named by their address. */
let host: ScriptedUpstream
let original: Buffer
let mask: Buffer
let painted: Buffer
const gateways = new Map<string, TestGateway>()

beforeAll(async () => {
  ;[original, mask, painted] = await Promise.all([
    noise(size).png().toBuffer(),
    maskWith(size, [hole]),
    gradient({ width: 200, height: 150 }).png().toBuffer(),
  ])
  upstream = await startUpstream(json({ created: 1, data: [{ b64_json: painted.toString('base64') }] }))
  host = await startUpstream(({ url }, response) => void response.end(url === '/mask.png' ? mask : original))
  for (const dialect of ['openai', 'nano-banana', 'aimlapi'] as const) gateways.set(dialect, await startTo(dialect))
})
afterAll(async () => {
  for (const gateway of gateways.values()) await gateway.close()
  await Promise.all([upstream.close(), host.close()])
})
beforeEach(() => {
  upstream.seen.length = 0
  host.seen.length = 0
})

const startTo = (dialect: UpstreamConfig['dialect']) =>
  startGateway({
    upstream: upstream.url,
    upstreamConfig: { name: dialect, protocol: 'openai', dialect, baseUrl: `${upstream.url}/v1` },
    config: { references: { allow: [new URL(host.url).host] } },
  })

function gatewayTo(dialect: UpstreamConfig['dialect']): TestGateway {
  const gateway = gateways.get(dialect)
  if (!gateway) throw new Error(`No gateway to ${dialect}.`)
  return gateway
}

const dataUrl = (bytes: Buffer) => `data:image/png;base64,${bytes.toString('base64')}`
const pictureOf = (answer: { readonly json: { data: { b64_json: string }[] } }) =>
  Buffer.from(answer.json.data[0]?.b64_json ?? '', 'base64')

test('an upstream that takes masks gets it byte for byte, and its answer is the answer', async () => {
  const files = Object.entries({ image: original, mask }).map(([name, value]) => ({ name, value, fileName: 'a.png' }))
  const parts = [...textParts({ model: 'gpt-image-2', prompt: 'A kite there', size: '1024x1024' }), ...files]
  const answer = await read(await postForm(`${gatewayTo('openai').url}/v1/images/edits`, parts))
  expect(answer.status).toBe(200)
  expect(pictureOf(answer).equals(painted)).toBe(true)
  const [seen] = upstream.seen
  if (!seen) throw new Error('Nothing went up.')
  const headers = { 'content-type': seen.headers['content-type'] ?? '' }
  const form = await new Response(new Uint8Array(seen.body), { headers }).formData()
  const sent = form.get('mask')
  if (!(sent instanceof Blob)) throw new Error('It should be a file.')
  expect(Buffer.from(await sent.arrayBuffer()).equals(mask)).toBe(true)
  expect([form.get('prompt'), form.get('size')]).toEqual(['A kite there', '1024x1024'])
})

test('and is asked for the file type itself: nothing is compressed twice', async () => {
  // In another vendor's words: in OpenAI's own it would be passed on, and its answer too.
  const shape = { aspect_ratio: '4:3' }
  const body = { model: 'gpt-image-2', prompt: 'A kite', ...shape, output_format: 'webp', output_compression: 30 }
  const webp = await gradient(size).webp().toBuffer()
  upstream.script = json({ created: 1, data: [{ b64_json: webp.toString('base64') }] })
  const answer = await ask(gatewayTo('openai'), '/v1/images/generations', body)
  upstream.script = json({ created: 1, data: [{ b64_json: painted.toString('base64') }] })
  expect(JSON.parse(String(upstream.seen[0]?.body))).toMatchObject({ output_format: 'webp', output_compression: 30 })
  expect(pictureOf(answer).equals(webp)).toBe(true)
  // One that does not do as it was asked is helped.
  expect((await ask(gatewayTo('openai'), '/v1/images/generations', body)).json.output_format).toBe('webp')
})

test.each(['nano-banana', 'aimlapi'] as const)(
  '%s, which takes none, is shown it, and the original stays as it was outside',
  async dialect => {
    const body = {
      model: 'nano-banana-2',
      prompt: 'A kite there',
      images: [{ image_url: dataUrl(original) }],
      mask: { image_url: dataUrl(mask) },
    }
    const answer = await ask(gatewayTo(dialect), '/v1/images/edits', body)
    expect([answer.status, answer.json.error]).toEqual([200, undefined])
    expect(answer.json).toMatchObject({ output_format: 'png', size: '120x90' })
    expect(differing(await see(original), await see(pictureOf(answer)), outside)).toBe(0)
    const sent = JSON.parse(String(upstream.seen[0]?.body))
    expect([sent.image, sent.image_urls].flat().filter(Boolean)).toHaveLength(2)
    expect(sent.prompt).toMatch(/^A kite there\n\nThe last picture is a mask of picture 1/)
    expect(sent.aspect_ratio).toBe('4:3')
  },
)

test('a mask and its picture may be named by their addresses, also where the vendor would read them by itself', async () => {
  const body = {
    model: 'nano-banana-2',
    prompt: 'A kite there',
    images: [{ image_url: `${host.url}/picture.png` }],
    mask: { image_url: `${host.url}/mask.png` },
  }
  const answer = await ask(gatewayTo('aimlapi'), '/v1/images/edits', body)
  expect([answer.status, answer.json.error]).toEqual([200, undefined])
  expect(differing(await see(original), await see(pictureOf(answer)), outside)).toBe(0)
  expect(host.seen.map(({ url }) => url).toSorted()).toEqual(['/mask.png', '/picture.png'])
})

test('a picture that lies where nobody here can read it is named', async () => {
  const image = 'gs://bucket/picture.png'
  const body = { model: 'nano-banana-2', prompt: 'A kite there', image, mask: dataUrl(mask) }
  const { status, json: told } = await ask(gatewayTo('aimlapi'), '/v1/images/edits', body)
  expect([status, told.error.param]).toEqual([400, 'image'])
  expect(upstream.seen).toEqual([])
})
