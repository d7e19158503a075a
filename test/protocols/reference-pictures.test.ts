/** Reference pictures in every way callers send them, as they arrive at the upstream; and what is no picture. */

import { describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, told } from '../helpers/callers.ts'
import { type FormPart, formBytes, formType, postForm, textParts } from '../helpers/forms.ts'
import { heicHead, numberedPicture } from '../helpers/pictures.ts'
import { rawHttp } from '../helpers/raw-http.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const {
  gateway,
  upstream,
  sentUp: theCall,
} = await scriptedGateway(answerWith('answers/tiny-picture.json'), {
  config: { references: { maxBytes: 200_000, maxCount: 16 } },
})
const [png, jpeg, webp] = await Promise.all([
  numberedPicture('png', 8, 8, 1),
  numberedPicture('jpeg', 9, 9, 2),
  numberedPicture('webp', 10, 10, 3),
])
/** Larger than any buffer on its way: its text arrives in many pieces. */
const large = Buffer.concat([png, Buffer.alloc(150_001, 7)])

const prompt = { name: 'prompt', value: 'Put them together' }
const edit = async (parts: readonly FormPart[], options: Parameters<typeof postForm>[2] = {}) =>
  told(gateway, await postForm(`${gateway.url}/v1/images/edits`, parts, options))
const generate = (body: object, path = '/v1/images/generations') =>
  ask(gateway, path, { prompt: 'Put them together', ...body })

/** The pictures that went up, as pairs of type and bytes. */
function sentUp(): readonly (readonly [string, Buffer])[] {
  const parts: readonly { inlineData?: { mimeType: string; data: string } }[] = JSON.parse(theCall().text).contents[0]
    .parts
  return parts.flatMap(({ inlineData }) =>
    inlineData ? [[inlineData.mimeType, Buffer.from(inlineData.data, 'base64')] as const] : [],
  )
}

const file = (name: string, value: Buffer, more: Partial<FormPart> = {}): FormPart => ({
  name,
  value,
  fileName: 'a.bin',
  ...more,
})
const base64 = (bytes: Buffer) => bytes.toString('base64')
const dataUrl = (bytes: Buffer, type = 'image/png') => `data:${type};base64,${base64(bytes)}`

describe('in a form', () => {
  test.each([
    ['image', ['image']],
    ['image repeated', ['image', 'image', 'image']],
    ['image[]', ['image[]']],
    ['image[] repeated', ['image[]', 'image[]', 'image[]']],
    ['image[0], image[1]', ['image[0]', 'image[1]']],
    ['all of them mixed', ['image', 'image[]', 'image[7]']],
    ['images[]', ['images[]', 'images[]']],
    ['image_urls and input_references', ['image_urls', 'image_urls[]']],
  ])('%s: every file, in the order of the form', async (_what, names) => {
    const files = [png, jpeg, webp].slice(0, names.length)
    const { status } = await edit([prompt, ...names.map((name, index) => file(name, files[index] ?? png))])
    expect(status).toBe(200)
    expect(sentUp().map(([, bytes]) => bytes)).toEqual(files)
  })

  test('files may come before the text fields', async () => {
    const parts = [file('image', png), prompt, ...textParts({ model: 'nano-banana', aspect_ratio: '1:1' })]
    expect((await edit(parts)).headers.get('x-plantain-model')).toBe('gemini-2.5-flash-image')
    expect(sentUp()).toEqual([['image/png', png]])
  })

  test.each([
    ['application/octet-stream', 'upload'],
    ['text/plain', 'blob'],
    ['image/gif', 'anonymous_file'],
    [undefined, '../../etc/passwd'],
    [undefined, 'ü\u202e☃.exe'],
    ['application/octet-stream', undefined],
    ['image/webp', undefined],
    ['Image/PNG; name=a', undefined],
  ])('a part called %s, file name %s, is what its bytes are', async (type, fileName) => {
    const part = { name: 'image', value: webp, ...(type && { type }), ...(fileName && { fileName }) }
    expect((await edit([prompt, part])).status).toBe(200)
    expect(sentUp()).toEqual([['image/webp', webp]])
  })

  test('without a content-length, as streams are sent', async () => {
    expect((await edit([file('image', large), prompt], { chunked: true })).status).toBe(200)
    expect(sentUp()).toEqual([['image/png', large]])
  })

  test('in pieces of seven bytes', async () => {
    const bytes = formBytes([file('image[]', jpeg), prompt, file('image[]', png)])
    const chunks: string[] = []
    for (let at = 0; at < bytes.length; at += 7) {
      const piece = bytes.subarray(at, at + 7)
      chunks.push(`${piece.length.toString(16)}\r\n${piece.toString('latin1')}\r\n`)
    }
    const head = `POST /v1/images/edits HTTP/1.1\r\nhost: x\r\ncontent-type: ${formType}\r\ntransfer-encoding: chunked\r\n\r\n`
    const answer = await rawHttp(gateway.url, head, ...chunks.map(chunk => Buffer.from(chunk, 'latin1')), '0\r\n\r\n')
    expect(answer.status).toBe(200)
    expect(sentUp()).toEqual([
      ['image/jpeg', jpeg],
      ['image/png', png],
    ])
  })

  test('as base64 text and data URLs between files', async () => {
    const text = (value: string) => ({ name: 'image', value })
    const parts = [
      prompt,
      text(base64(png)),
      file('image', jpeg),
      text(dataUrl(webp, 'image/webp')),
      text(dataUrl(large)),
    ]
    expect((await edit(parts)).status).toBe(200)
    expect(sentUp()).toEqual([
      ['image/png', png],
      ['image/jpeg', jpeg],
      ['image/webp', webp],
      ['image/png', large],
    ])
  })

  test('a generation may be a form too', async () => {
    const response = await postForm(`${gateway.url}/v1/images/generations`, [prompt, file('image', png)])
    expect((await told(gateway, response)).status).toBe(200)
    expect(sentUp()).toEqual([['image/png', png]])
  })

  test('numbers and switches are read from their text', async () => {
    const parts = textParts({
      n: '2',
      seed: '7',
      enable_web_search: 'true',
      stream: 'false',
      width: '512',
      height: '512',
    })
    expect((await edit([prompt, ...parts])).json.data).toHaveLength(2)
    const up = JSON.parse(upstream.seen[0]?.body.toString() ?? '')
    expect(up.generationConfig).toMatchObject({ seed: 7, imageConfig: { aspectRatio: '1:1', imageSize: '512' } })
    expect(up.tools).toEqual([{ googleSearch: {} }])
  })

  test.each([
    ['n', 'two'],
    ['n', '1.5'],
    ['n', '0'],
    ['n', '0x2'],
    ['stream', 'yes'],
    ['seed', ''.padEnd(30, '9')],
  ])('%s = %s is refused by name', async (name, value) => {
    const { status, json } = await edit([prompt, { name, value }])
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ param: name, code: 'invalid_value' })
    expect(upstream.seen).toHaveLength(0)
  })

  test('a part that says it is JSON is read as the text it is', async () => {
    const type = 'application/json'
    const parts = [
      { name: 'prompt', value: '"A red kite"', type },
      { name: 'n', value: '2', type },
      { name: 'enable_web_search', value: 'true', type },
    ]
    expect((await edit(parts)).json.data).toHaveLength(2)
    const { contents, tools } = JSON.parse(upstream.seen[0]?.body.toString() ?? '')
    expect([contents[0].parts, tools]).toEqual([[{ text: 'A red kite' }], [{ googleSearch: {} }]])
    const object = await edit([{ name: 'prompt', value: '{"text":"A red kite"}', type }])
    expect(object.status).toBe(200)
    expect(upstream.seen.at(-1)?.body.toString()).not.toMatch(/\[object Object\]/)
  })
})

describe('in JSON', () => {
  test.each([
    ['image: one text', () => ({ image: dataUrl(png) })],
    ['image: a list', () => ({ image: [base64(png)] })],
    ['images: [{ image_url }]', () => ({ images: [{ image_url: dataUrl(png) }] })],
    ['images: [{ image_url: { url } }]', () => ({ images: [{ image_url: { url: dataUrl(png) } }] })],
    ['images: one object', () => ({ images: { image_url: dataUrl(png) } })],
    ['image_urls', () => ({ image_urls: [dataUrl(png)] })],
    ['imageUrls', () => ({ imageUrls: [dataUrl(png)] })],
    ['image_urls: one text', () => ({ image_urls: dataUrl(png) })],
    ['input_references', () => ({ input_references: [{ type: 'image_url', image_url: { url: dataUrl(png) } }] })],
    ['a long one', () => ({ image: dataUrl(Buffer.concat([png, Buffer.alloc(5000)])) })],
  ])('%s, in both operations', async (_what, body) => {
    for (const path of ['/v1/images/generations', '/v1/images/edits']) {
      upstream.seen.length = 0
      expect((await generate(body(), path)).status).toBe(200)
      expect(sentUp()).toHaveLength(1)
      expect(sentUp()[0]?.[1].subarray(0, png.length)).toEqual(png)
    }
  })

  test('all fields at once: each picture goes up', async () => {
    const body = { image: dataUrl(png), images: [{ image_url: dataUrl(jpeg) }], image_urls: [dataUrl(webp)] }
    expect((await generate(body)).status).toBe(200)
    expect(sentUp().map(([type]) => type)).toEqual(['image/png', 'image/jpeg', 'image/webp'])
  })

  const rest = () => Buffer.concat([png, Buffer.from([0xfb, 0xff, 0xbf, 0xfe])])
  test.each([
    ['in the URL-safe alphabet', () => rest().toString('base64url')],
    ['without padding', () => base64(rest()).replace(/=+$/, '')],
    ['with line breaks', () => base64(rest()).replace(/.{20}/g, '$&\r\n')],
    ['after a prefix in capitals', () => `DATA:IMAGE/PNG;BASE64,${base64(rest())}`],
    ['after a prefix with parameters', () => `data:image/png;charset=utf-8;name=a.png;base64,${base64(rest())}`],
    ['after a prefix without a type', () => `data:;base64,${base64(rest())}`],
  ])('base64 %s is read', async (_what, text) => {
    expect((await generate({ image: text() })).status).toBe(200)
    expect(sentUp()).toEqual([['image/png', rest()]])
    // The upstream reads one form only.
    expect(upstream.seen[0]?.body.toString()).toContain(base64(rest()))
  })

  test.each([
    ['a file name', 'image/png;name=my%20cat%20(1).png;base64'],
    ['a file name in quotes', 'image/png;name="my cat.png";base64'],
    ['a file name in its own letters', 'image/png;name=кот.png;base64'],
    ['a charset', 'image/png;charset=utf-8;base64'],
    ['a space before the last', 'image/png; base64'],
    ['a long file name', `image/png;name=${'%E7%8C%AB'.repeat(60)}.png;base64`],
  ])('the parameters of a data URL say nothing of the picture: %s', async (_what, prefix) => {
    for (const bytes of [png, large]) {
      upstream.seen.length = 0
      expect((await generate({ image: `data:${prefix},${base64(bytes)}` })).status).toBe(200)
      expect(sentUp()).toEqual([['image/png', bytes]])
    }
  })

  test.each([
    ['an address of OpenAI’s and a file', (url: string) => ({ image_url: url, file_id: 'file-1' })],
    ['two addresses', (url: string) => ({ image_url: { url }, url })],
    ['nothing', () => ({ image_url: null, file_id: null })],
  ])('an object names one picture: %s is refused by its place', async (_what, ref) => {
    for (const [body, param] of [
      [{ images: [dataUrl(jpeg), ref(dataUrl(png))] }, 'images[1]'],
      [{ image: dataUrl(jpeg), mask: ref(dataUrl(png)) }, 'mask'],
    ] as const) {
      const { status, json } = await generate(body)
      expect([status, json.error.param, json.error.code]).toEqual([400, param, 'invalid_value'])
    }
    expect(upstream.seen).toHaveLength(0)
  })

  test('what else stands in an object is named as ignored, by its place', async () => {
    const images = [{ image_url: dataUrl(png), file_id: null, strength: 0.5 }]
    const input_references = [{ type: 'image_url', image_url: { url: dataUrl(jpeg), detail: 'high' } }]
    const { status, headers } = await generate({ images, input_references })
    expect(status).toBe(200)
    expect(sentUp().map(([type]) => type)).toEqual(['image/png', 'image/jpeg'])
    expect(headers.get('x-plantain-ignored-params')).toBe('images[0].strength, input_references[0].image_url.detail')
  })

  test('base64 whose slashes are escaped, as PHP writes it', async () => {
    for (const bytes of [png, large]) {
      upstream.seen.length = 0
      const text = JSON.stringify({ prompt: 'x', image: dataUrl(bytes) }).replaceAll('/', '\\/')
      expect((await ask(gateway, '/v1/images/generations', text)).status).toBe(200)
      expect(sentUp()).toEqual([['image/png', bytes]])
    }
  })

  test('an edit without pictures is painted from the prompt, but an empty list of them is a mistake', async () => {
    expect((await generate({}, '/v1/images/edits')).status).toBe(200)
    upstream.seen.length = 0
    const { status, json } = await generate({ images: [] }, '/v1/images/edits')
    expect([status, json.error.param]).toEqual([400, 'images'])
    expect(upstream.seen).toHaveLength(0)
  })
})

test.each([
  ['image/png', () => png],
  ['image/jpeg', () => jpeg],
  ['image/webp', () => webp],
  ['image/heic', () => heicHead()],
])('%s is sent up as such', async (type, bytes) => {
  expect((await edit([prompt, file('image', bytes())])).status).toBe(200)
  expect(sentUp()).toEqual([[type, bytes()]])
})

describe('what is no picture', () => {
  const strangers: readonly (readonly [string, () => Buffer | Promise<Buffer>])[] = [
    ['nothing', () => Buffer.alloc(0)],
    ['one byte', () => Buffer.from([0x89])],
    ['SVG', () => Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>')],
    ['PDF', () => Buffer.from('%PDF-1.7\n%âãÏÓ\n1 0 obj\n')],
    ['HTML', () => Buffer.from('<!doctype html><html><body>hello</body></html>')],
    ['a GIF', () => numberedPicture('gif')],
    ['a ZIP', () => Buffer.from('PK\u0003\u0004rest of it')],
    ['an MP4', () => Buffer.from('\0\0\0\u0018ftypmp42\0\0\0\0mp42isom')],
    ['an AVIF', () => Buffer.from('\0\0\0\u0020ftypavif\0\0\0\0avifmif1miaf')],
    ['a program', () => Buffer.from('\u007fELF\u0002\u0001\u0001\0\0\0\0\0\0')],
    ['a TIFF', () => Buffer.from('II*\0\u0008\0\0\0')],
    ['zeros', () => Buffer.alloc(64)],
  ]

  test.each(strangers)('%s in a form is refused by name, whatever it is called', async (_what, bytes) => {
    const part = file('image[]', await bytes(), { fileName: 'cat.png', type: 'image/png' })
    const { status, reason, json } = await edit([prompt, file('image[]', png), part])
    expect(status).toBe(400)
    expect(reason).toBe('invalid_image')
    expect(json.error).toMatchObject({ type: 'invalid_request_error', code: 'invalid_image' })
    expect(json.error.param).toMatch(/^image/)
    expect(upstream.seen).toHaveLength(0)
  })

  test.each(strangers)('%s in JSON too', async (_what, bytes) => {
    const { status, json } = await generate({ image: [dataUrl(png), dataUrl(await bytes())] })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'invalid_image', param: 'image[1]' })
    expect(upstream.seen).toHaveLength(0)
  })

  test.each([
    ['javascript:alert(1)'],
    ['file:///etc/passwd'],
    ['gopher://127.0.0.1/'],
    ['blob:https://example.com/1'],
    ['data:text/html,<b>hi</b>'],
    ['data:image/png,rawbytes'],
    ['data:image/png;base64,'],
    ['data:image/png;base64,%%%%'],
    ['not base64 at all!'],
    ['cat.png'],
    ['/etc/passwd'],
    ['A'],
    ['AAAAA'],
  ])('nor is %s', async text => {
    const { status, json } = await generate({ image: text })
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'invalid_image', param: 'image' })
    expect(upstream.seen).toHaveLength(0)
  })

  test.each([
    [{ image: 7 }],
    [{ image: [null] }],
    [{ images: [{}] }],
    [{ images: [{ image_url: 7 }] }],
    [{ image: true }],
  ])('nor is %j', async body => {
    const { status, json } = await generate(body)
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ type: 'invalid_request_error' })
    expect(json.error.param).toMatch(/^images?/)
  })
})

describe('how many and how large', () => {
  test('as many as the model takes, and not one more', async () => {
    const many = (count: number) => Array.from({ length: count }, () => file('image[]', png))
    expect((await edit([prompt, ...many(14)])).status).toBe(200)
    expect(sentUp()).toHaveLength(14)
    upstream.seen.length = 0
    const { status, json } = await edit([prompt, ...many(15)])
    expect(status).toBe(400)
    expect(json.error).toMatchObject({ code: 'invalid_value', param: 'image' })
    expect(json.error.message).toMatch(/at most 14/)
    expect(upstream.seen).toHaveLength(0)
  })

  test('the model without a bound takes as many as the gateway does', async () => {
    const image = Array.from({ length: 16 }, () => base64(png))
    expect((await generate({ model: 'nano-banana', image })).status).toBe(200)
    upstream.seen.length = 0
    const { status, json } = await generate({ model: 'nano-banana', image: [...image, base64(png)] })
    expect([status, json.error.param]).toEqual([400, 'image'])
  })

  test('a picture above references.max_bytes is too large, by whichever way it comes', async () => {
    const tooLarge = Buffer.concat([png, Buffer.alloc(200_000)])
    for (const answer of [
      await edit([prompt, file('image', tooLarge)]),
      await edit([prompt, { name: 'image', value: base64(tooLarge) }]),
      await generate({ image: base64(tooLarge) }),
      await generate({ images: [{ image_url: dataUrl(tooLarge) }] }),
    ]) {
      expect(answer.status).toBe(413)
      expect(answer.reason).toBe('request_too_large')
      expect(answer.json.error.message).toMatch(/200000 bytes/)
    }
    expect(upstream.seen).toHaveLength(0)
  })
})
