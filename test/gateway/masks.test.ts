/** Masked edits through the running gateway, at an upstream that knows no masks: what goes up, what comes back, what is refused. */

import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { type StartedSandbox, startSandbox } from '../../src/sandbox/start.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { type Answer, ask, read } from '../helpers/callers.ts'
import { type FormPart, postForm, textParts } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { heicHead } from '../helpers/pictures.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { differing, gradient, type Hole, isIn, maskWith, noise, see } from '../pixels/masked-pictures.ts'

const size = { width: 330, height: 210 }
const hole: Hole = { left: 100, top: 60, width: 120, height: 90 }
const outside = (x: number, y: number) => !isIn(hole, x, y)

let sandbox: StartedSandbox
let painting: TestGateway
let upstream: ScriptedUpstream
let scripted: TestGateway
let mask: Buffer
let png: Buffer
let jpeg: Buffer
let webp: Buffer

beforeAll(async () => {
  sandbox = await startSandbox({ port: 0, host: '127.0.0.1' })
  painting = await startGateway({ upstream: sandbox.url })
  upstream = await startUpstream(answerWith('answers/tiny-picture.json'))
  scripted = await startGateway({ upstream: upstream.url })
  ;[mask, png, jpeg, webp] = await Promise.all([
    maskWith(size, [hole]),
    noise(size).png().toBuffer(),
    gradient(size).jpeg({ quality: 95 }).toBuffer(),
    noise(size).webp({ lossless: true }).toBuffer(),
  ])
})
afterAll(async () => {
  await Promise.all([painting.close(), scripted.close()])
  await Promise.all([sandbox.close(), upstream.close()])
})
beforeEach(() => {
  upstream.seen.length = 0
})

const file = (name: string, value: Buffer): FormPart => ({ name, value, fileName: 'picture.bin' })
const base64 = (bytes: Buffer) => bytes.toString('base64')
const dataUrl = (bytes: Buffer) => `data:image/png;base64,${base64(bytes)}`

const edit = async (
  gateway: TestGateway,
  files: Readonly<Record<string, Buffer>>,
  fields: Readonly<Record<string, string>> = {},
): Promise<Answer> => {
  const parts = Object.entries(files).map(([name, value]) => file(name, value))
  const texts = textParts({ prompt: 'Put a kite there', model: 'nano-banana-2', ...fields })
  return read(await postForm(`${gateway.url}/v1/images/edits`, [...texts, ...parts]))
}

/** The first picture of an answer whose labels are true of it. */
async function pictureOf({ status, json }: Answer): Promise<Buffer> {
  expect([status, json.error]).toEqual([200, undefined])
  const picture = Buffer.from(json.data[0].b64_json, 'base64')
  const { format, width, height } = await sharp(picture).metadata()
  expect(json).toMatchObject({ output_format: format, size: `${width}x${height}` })
  return picture
}

describe('outside the mask’s hole every pixel is the original’s', () => {
  test.each([
    ['a PNG', () => png, {}, 'png'],
    ['a lossless WebP', () => webp, {}, 'webp'],
    ['a PNG as WebP', () => png, { output_format: 'webp' }, 'webp'],
    ['a JPEG as PNG', () => jpeg, { output_format: 'png' }, 'png'],
    ['a PNG of 2.5 flash', () => png, { model: 'nano-banana' }, 'png'],
  ] as const)('%s', async (_what, original, fields, format) => {
    const answer = await edit(painting, { image: original(), mask }, fields)
    const edited = await pictureOf(answer)
    expect(answer.json).toMatchObject({ output_format: format, size: '330x210' })
    const [before, after] = [await see(original()), await see(edited)]
    expect(differing(before, after, outside)).toBe(0)
    expect(differing(before, after, (x, y) => isIn(hole, x, y))).toBeGreaterThan((hole.width * hole.height) / 2)
  })

  test('a JPEG stays one, and is the original but for what JPEG loses', async () => {
    const edited = await pictureOf(await edit(painting, { image: jpeg, mask }))
    const far = (x: number, y: number) =>
      !isIn({ left: hole.left - 16, top: hole.top - 16, width: hole.width + 32, height: hole.height + 32 }, x, y)
    expect((await sharp(edited).metadata()).format).toBe('jpeg')
    expect(differing(await see(jpeg), await see(edited), far, 8)).toBe(0)
  })

  test('in a JPEG or WebP of less quality, too, as far as that goes', async () => {
    for (const output_format of ['jpeg', 'webp']) {
      const best = await pictureOf(await edit(painting, { image: jpeg, mask }, { output_format }))
      const less = await pictureOf(
        await edit(painting, { image: jpeg, mask }, { output_format, output_compression: '40' }),
      )
      expect(less.length).toBeLessThan(best.length)
    }
  })

  test('in every picture of several', async () => {
    const { status, json } = await edit(painting, { image: png, mask }, { n: '3' })
    expect(status).toBe(200)
    const before = await see(png)
    for (const { b64_json } of json.data) {
      expect(differing(before, await see(Buffer.from(b64_json, 'base64')), outside)).toBe(0)
    }
    expect(json.data).toHaveLength(3)
  })

  test('in the original’s own size, whatever size is asked for', async () => {
    const answer = await edit(painting, { image: png, mask }, { size: '1024x1024' })
    expect(answer.json.size).toBe('330x210')
    expect(differing(await see(png), await see(await pictureOf(answer)), outside)).toBe(0)
    expect(answer.headers.get('x-plantain-ignored-params')).toBe('size')
  })

  test('with the mask’s own picture as the original: where it was clear it is painted', async () => {
    const both = await sharp(await noise(size).png().toBuffer())
      .joinChannel(await sharp(mask).extractChannel('alpha').toBuffer())
      .png()
      .toBuffer()
    const after = await see(await pictureOf(await edit(painting, { image: both, mask: both })))
    expect(differing(await see(both), after, outside)).toBe(0)
    expect(after.at(hole.left + 60, hole.top + 45)[3]).toBe(255)
  })
})

describe('a mask arrives', () => {
  const ways: readonly (readonly [string, (mask: string) => unknown])[] = [
    ['as a data URL', given => given],
    ['as {image_url}', given => ({ image_url: given })],
    ['as {image_url: {url}}', given => ({ image_url: { url: given } })],
    ['as bare base64', given => given.slice(given.indexOf(',') + 1)],
  ]

  test.each(ways)('in JSON %s', async (_what, spell) => {
    const body = { prompt: 'Put a kite there', images: [{ image_url: dataUrl(png) }], mask: spell(dataUrl(mask)) }
    const edited = await pictureOf(await ask(painting, '/v1/images/edits', body))
    expect(differing(await see(png), await see(edited), outside)).toBe(0)
  })

  test('as long text in a form', async () => {
    // A mask of noise weighs more than any other text may.
    const large = { width: 400, height: 300 }
    const alpha = Buffer.alloc(large.width * large.height, 255).fill(0, 0, 20_000)
    const heavy = await sharp(await noise(large).png().toBuffer())
      .joinChannel(alpha, { raw: { ...large, channels: 1 } })
      .png()
      .toBuffer()
    expect(base64(heavy).length).toBeGreaterThan(300_000)
    const original = await noise(large, 3, 2).png().toBuffer()
    const parts = [...textParts({ prompt: 'x', mask: dataUrl(heavy), image: dataUrl(original) })]
    const edited = await pictureOf(await read(await postForm(`${painting.url}/v1/images/edits`, parts)))
    expect(differing(await see(original), await see(edited), (_x, y) => y > 50)).toBe(0)
  })
})

describe('what goes up', () => {
  interface Part {
    readonly text?: string
    readonly inlineData?: { readonly mimeType: string; readonly data: string }
  }

  function sentUp(): { readonly parts: readonly Part[]; readonly config: Readonly<Record<string, unknown>> } {
    const [seen] = upstream.seen
    if (!seen || upstream.seen.length > 1) throw new Error(`${upstream.seen.length} calls went up.`)
    const body = JSON.parse(seen.body.toString())
    return { parts: body.contents[0].parts, config: body.generationConfig.imageConfig }
  }

  const pictures = (parts: readonly Part[]) =>
    parts.flatMap(({ inlineData }) => (inlineData ? [Buffer.from(inlineData.data, 'base64')] : []))

  test('is the prompt, the pictures as they are, a sentence about the mask, and the mask in black and white', async () => {
    expect((await edit(scripted, { image: jpeg, 'image[1]': png, mask })).status).toBe(200)
    const { parts } = sentUp()
    expect(parts.map(part => Object.keys(part)[0])).toEqual(['text', 'inlineData', 'inlineData', 'text', 'inlineData'])
    expect(parts[0]?.text).toBe('Put a kite there')
    expect(parts[3]?.text).toMatch(/mask of the first/)
    expect(parts[4]?.inlineData?.mimeType).toBe('image/png')
    const [first, second, shown = Buffer.alloc(0)] = pictures(parts)
    expect([first, second]).toEqual([jpeg, png])
    const seen = await see(shown)
    expect(seen).toMatchObject(size)
    expect(seen.at(0, 0)).toEqual([0, 0, 0, 255])
    expect(seen.at(hole.left, hole.top)).toEqual([255, 255, 255, 255])
    expect(seen.at(hole.left - 1, hole.top)).toEqual([0, 0, 0, 255])
  })

  test('a picture that says it is turned goes up turned: the mask fits what is seen', async () => {
    const stored = gradient({ width: size.height, height: size.width })
    const turned = await stored.withMetadata({ orientation: 6 }).jpeg().toBuffer()
    expect((await edit(scripted, { image: turned, mask })).status).toBe(200)
    const [first = Buffer.alloc(0)] = pictures(sentUp().parts)
    const { orientation = 1, ...seen } = await sharp(first).metadata()
    expect([orientation, seen.width, seen.height]).toEqual([1, size.width, size.height])
  })

  test.each([
    [
      'its nearest ratio and resolution, where nothing is asked',
      {},
      { width: 1600, height: 1000 },
      { aspectRatio: '3:2', imageSize: '1K' },
    ],
    ['of a small one', {}, size, { aspectRatio: '3:2', imageSize: '512' }],
    ['of a ratio no model has', {}, { width: 900, height: 70 }, { aspectRatio: '8:1', imageSize: '512' }],
    ['its ratio at the resolution asked for', { image_size: '4K' }, size, { aspectRatio: '3:2', imageSize: '4K' }],
    ['its ratio, whichever was asked for', { size: '1024x1024' }, size, { aspectRatio: '3:2', imageSize: '1K' }],
    ['no resolution where the model has one', { model: 'nano-banana' }, size, { aspectRatio: '3:2' }],
  ] as const)('asks for the shape of the original: %s', async (_what, fields, area, imageConfig) => {
    const image = await gradient(area).png().toBuffer()
    const whole = await maskWith(area, [{ left: 1, top: 1, width: 9, height: 9 }])
    const answer = await edit(scripted, { image, mask: whole }, fields)
    expect([answer.status, answer.json.size]).toEqual([200, `${area.width}x${area.height}`])
    expect(sentUp().config).toEqual(imageConfig)
  })

  test('and a dry run tells it, without a call', async () => {
    const body = { prompt: 'x', size: '1024x1024', images: [{ image_url: dataUrl(png) }], mask: dataUrl(mask) }
    const { status, json } = await ask(scripted, '/v1/images/edits', body, { 'x-plantain-dry-run': 'true' })
    expect(status).toBe(200)
    const [call] = json.calls
    expect(call.body.contents[0].parts.map((part: Part) => Object.keys(part)[0])).toEqual([
      'text',
      'inlineData',
      'text',
      'inlineData',
    ])
    expect(call.body.generationConfig.imageConfig).toEqual({ aspectRatio: '3:2', imageSize: '1K' })
    expect(json.ignored.map(({ name }: { name: string }) => name)).toEqual(['size'])
    expect(upstream.seen).toHaveLength(0)
  })

  test('a resolution that the answer won’t have is named', async () => {
    const { status, headers } = await edit(scripted, { image: png, mask }, { image_size: '4K' })
    expect([status, headers.get('x-plantain-ignored-params')]).toEqual([200, 'image_size'])
  })

  test('a ratio that can’t be had is named, or refused where that is asked for', async () => {
    const fields = { aspect_ratio: '16:9' }
    const { headers } = await edit(scripted, { image: png, mask }, fields)
    expect(headers.get('x-plantain-ignored-params')).toBe('aspect_ratio')
    upstream.seen.length = 0
    const parts = [...textParts({ prompt: 'x', ...fields }), file('image', png), file('mask', mask)]
    const strict = await read(
      await postForm(`${scripted.url}/v1/images/edits`, parts, { headers: { 'x-plantain-strict': 'true' } }),
    )
    expect([strict.status, strict.json.error.param]).toEqual([400, 'aspect_ratio'])
    expect(upstream.seen).toHaveLength(0)
  })
})

describe('a mask that can’t be followed is a 400 that names it, and nothing is paid', () => {
  const opaque = () => sharp({ create: { ...size, channels: 3, background: '#fff' } })
  const wrong: readonly (readonly [string, () => Promise<Readonly<Record<string, Buffer>>>, RegExp])[] = [
    ['without an alpha channel', async () => ({ image: png, mask: await opaque().png().toBuffer() }), /alpha channel/],
    ['a JPEG', async () => ({ image: png, mask: await opaque().jpeg().toBuffer() }), /PNG with an alpha channel/],
    ['a WebP', async () => ({ image: png, mask: await sharp(mask).webp().toBuffer() }), /PNG with an alpha channel/],
    ['a GIF', async () => ({ image: png, mask: await opaque().gif().toBuffer() }), /gif/],
    ['no picture', async () => ({ image: png, mask: Buffer.from('hello') }), /no png/],
    ['an empty file', async () => ({ image: png, mask: Buffer.alloc(0) }), /empty/],
    ['cut', async () => ({ image: png, mask: mask.subarray(0, mask.length / 2) }), /broken/],
    ['opaque everywhere', async () => ({ image: png, mask: await maskWith(size, []) }), /transparent/],
    [
      'half transparent everywhere',
      async () => ({ image: png, mask: await opaque().ensureAlpha(0.5).png().toBuffer() }),
      /transparent/,
    ],
    [
      'of another size',
      async () => ({ image: png, mask: await maskWith({ width: 330, height: 211 }, [hole]) }),
      /330x211.*330x210/,
    ],
    ['without a picture', async () => ({ mask }), /no picture was sent/],
    ['beside a HEIC', async () => ({ image: heicHead(), mask }), /heic/],
  ]

  test.each(wrong)('%s', async (_what, files, sentence) => {
    const { status, json } = await edit(scripted, await files())
    expect([status, json.error.param, json.error.type]).toEqual([400, 'mask', 'invalid_request_error'])
    expect(json.error.message).toMatch(sentence)
    expect(upstream.seen).toHaveLength(0)
  })

  test.each([
    ['a number', 7],
    ['a list', []],
    ['an object without a picture', {}],
    ['an address that nobody may fetch', 'https://127.0.0.1/mask.png'],
    ['garbage', 'not base64!'],
  ])('in JSON: %s', async (_what, given) => {
    const body = { prompt: 'x', images: [{ image_url: dataUrl(png) }], mask: given }
    const { status, json } = await ask(scripted, '/v1/images/edits', body)
    expect([status, json.error.param]).toEqual([400, 'mask'])
    expect(upstream.seen).toHaveLength(0)
  })

  test('one picture more than the model takes', async () => {
    const images = Array.from({ length: 14 }, () => ({ image_url: dataUrl(png) }))
    const body = { prompt: 'x', model: 'nano-banana-2', images, mask: dataUrl(mask) }
    const { status, json } = await ask(scripted, '/v1/images/edits', body)
    expect([status, json.error.param]).toEqual([400, 'mask'])
    expect(json.error.message).toMatch(/at most 14/)
  })

  test('an original that is broken is named instead', async () => {
    const { status, json } = await edit(scripted, { image: png.subarray(0, png.length / 2), mask })
    expect([status, json.error.param]).toEqual([400, 'image'])
    const images = [{ image_url: dataUrl(png.subarray(0, png.length / 2)) }]
    const body = { model: 'nano-banana-2', prompt: 'x', images, mask: dataUrl(mask) }
    const inJson = await ask(scripted, '/v1/images/edits', body)
    expect([inJson.status, inJson.json.error.param]).toEqual([400, 'images'])
    expect(upstream.seen).toHaveLength(0)
  })

  test('less than the whole of a PNG', async () => {
    const { status, json } = await edit(scripted, { image: png, mask }, { output_compression: '50' })
    expect([status, json.error.param]).toEqual([400, 'output_compression'])
    expect(upstream.seen).toHaveLength(0)
  })
})
