/** Forms that are kept as they come, because an upstream may take them so. */

import { createHash } from 'node:crypto'
import fc from 'fast-check'
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { readHead } from '../../src/http/form-head.ts'
import { FormWatch } from '../../src/http/form-watch.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { read } from '../helpers/callers.ts'
import { chunksAt, cuts } from '../helpers/documents.ts'
import { boundary, type FormPart, formBytes, formType, postForm } from '../helpers/forms.ts'
import { bothVendorsAt, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { rawHttp } from '../helpers/raw-http.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

test('delimiters are found wherever the chunks are cut', () => {
  const parts = [
    { name: 'prompt', value: 'A kite\r\n--plantai' },
    { name: 'image', value: Buffer.from(`\r\n--${boundary.slice(0, -1)}\r\n\r\n--`), fileName: 'a' },
    { name: 'empty', value: '' },
  ]
  const bytes = formBytes(parts)
  const delimiter = `\r\n--${boundary}`
  const text = `\r\n${bytes.toString('latin1')}`
  const expected: number[] = []
  for (let at = text.indexOf(delimiter); at !== -1; at = text.indexOf(delimiter, at + 1)) expected.push(at - 2)
  fc.assert(
    fc.property(cuts, shares => {
      const watch = new FormWatch(boundary, bytes.length, () => {})
      for (const chunk of chunksAt(bytes, shares)) watch.push(chunk)
      expect(watch.starts).toEqual(expected)
      expect([watch.parts, watch.isEnded]).toEqual([3, true])
    }),
    { numRuns: 500 },
  )
})

describe('the head of a part', () => {
  const disposition = (rest: string) => `Content-Disposition: form-data; ${rest}`
  test.each([
    ['a text', disposition('name="prompt"'), { name: 'prompt', isFile: false, isPlain: true }],
    [
      'a file of curl’s',
      `${disposition('name="image[]"; filename="käse.png"')}\r\nContent-Type: image/png`,
      { name: 'image[]', isFile: true, mediaType: 'image/png', isPlain: true },
    ],
    ['bare words', disposition('name=image; filename=a.png'), { name: 'image', isFile: true, isPlain: false }],
    ['escaped quotes', disposition('name="a\\"b"'), { name: 'a"b', isFile: false, isPlain: false }],
    ['encoded quotes', disposition('name="a%22b"'), { name: 'a"b', isPlain: false }],
    ['two names', disposition('name="model"; name="x"'), { isPlain: false }],
    ['two dispositions', `${disposition('name="x"')}\r\n${disposition('name="model"')}`, { isPlain: false }],
    [
      'another encoding',
      `${disposition('name="x"')}\r\nContent-Transfer-Encoding: base64`,
      { encoding: 'base64', isPlain: false },
    ],
    [
      'another charset',
      `${disposition('name="x"')}\r\nContent-Type: text/plain; charset=utf-16`,
      { charset: 'utf-16' },
    ],
    ['JSON', `${disposition('name="model"')}\r\nContent-Type: application/json`, { isFile: false, isPlain: false }],
    ['any file', `${disposition('name="x"')}\r\nContent-Type: application/octet-stream`, { isFile: true }],
    [
      'a picture without a name',
      `${disposition('name="image"')}\r\nContent-Type: image/png`,
      { isFile: true, isPlain: false },
    ],
    ['nothing', '', { name: '', isFile: false, isPlain: false }],
  ])('%s', (_name, head, expected) => {
    expect(readHead(head)).toMatchObject(expected)
  })
})

describe('translated after all', () => {
  const maxBodyBytes = 8 << 20
  let upstream: ScriptedUpstream
  let gateway: TestGateway
  let png: Buffer

  beforeAll(async () => {
    png = await numberedPicture('png')
    upstream = await startUpstream(answerWith('answers/tiny-picture.json'))
    gateway = await startGateway({
      upstream: upstream.url,
      config: {
        listen: { host: '127.0.0.1', port: 0, maxBodyBytes, corsOrigins: [] },
        references: { maxBytes: 2 << 20, maxCount: 3 },
        upstreams: bothVendorsAt(upstream.url),
      },
    })
  })
  afterAll(async () => {
    await gateway.close()
    await upstream.close()
  })
  beforeEach(() => {
    upstream.seen.length = 0
  })

  const url = () => `${gateway.url}/v1/images/edits`
  const prompt: FormPart = { name: 'prompt', value: 'Put a hat on it' }
  const file = (more: Partial<FormPart> = {}): FormPart => ({ name: 'image', value: png, fileName: 'a.png', ...more })
  const edit = async (...parts: FormPart[]) => read(await postForm(url(), parts))
  const post = async (body: Buffer | string, type = formType) =>
    read(
      await fetch(url(), {
        method: 'POST',
        headers: { 'content-type': type },
        body: new Uint8Array(Buffer.from(body)),
      }),
    )

  test('files arrive whole and in order, texts as they are', async () => {
    const files = [1, 2, 3].map(number => Buffer.concat([png, Buffer.alloc(1_000_000 + number, number)]))
    const parts = files.map(value => file({ name: 'image[]', value }))
    const { status } = await edit(...parts, prompt, { name: 'aspect_ratio', value: '16:9' }, { name: 'n', value: '2' })
    expect(status).toBe(200)
    expect(upstream.seen).toHaveLength(2)
    const { contents, generationConfig } = JSON.parse(String(upstream.seen[0]?.body))
    const [text, ...images] = contents[0].parts
    expect([text.text, generationConfig.imageConfig]).toEqual(['Put a hat on it', { aspectRatio: '16:9' }])
    const sums = images.map((part: { inlineData: { data: string } }) =>
      sumOf(Buffer.from(part.inlineData.data, 'base64')),
    )
    expect(sums).toEqual(files.map(sumOf))
  })

  test('a part that says it is JSON is read as what the JSON says', async () => {
    const type = 'application/json'
    const [text, model] = [JSON.stringify('Put a hat on it'), JSON.stringify('nano-banana')]
    const answer = await edit({ ...prompt, value: text, type }, file(), { name: 'model', value: model, type })
    expect([answer.status, answer.headers.get('x-plantain-model')]).toEqual([200, 'gemini-2.5-flash-image'])
    expect(JSON.parse(String(upstream.seen[0]?.body)).contents[0].parts[0].text).toBe('Put a hat on it')
    const broken = await edit({ ...prompt, value: '"Put', type }, file())
    expect([broken.status, broken.json.error.message]).toEqual([400, expect.stringMatching(/malformed/)])
  })

  test.each([
    ['that is nested very deep', `${'['.repeat(50_000)}${']'.repeat(50_000)}`],
    ['with a key that leads to a prototype', '{"a": [{"__proto__": {"n": 9}}]}'],
  ])('JSON %s is a part that cannot be read', async (_what, value) => {
    for (const name of ['x', 'images', 'prompt']) {
      const answer = await edit(prompt, file(), { name, value, type: 'application/json' })
      expect([answer.status, answer.json.error.message]).toEqual([400, expect.stringMatching(/malformed/)])
    }
    expect(gateway.log.filter(({ level }) => level === 'error')).toEqual([])
  })

  test('a mask may be as long a text as any picture', async () => {
    // No compression, so that it weighs more than any other text may.
    const mask = await sharp({ create: { width: 400, height: 300, channels: 4, background: '#0000' } })
      .png({ compressionLevel: 0 })
      .toBuffer()
    const original = await numberedPicture('png', 400, 300)
    const text = { name: 'mask', value: `data:image/png;base64,${mask.toString('base64')}` }
    expect(text.value.length).toBeGreaterThan(300_000)
    expect((await edit(prompt, file({ value: original }), text)).status).toBe(200)
  })

  test('a picture whose part says its type and no file name is one', async () => {
    expect((await edit(prompt, { name: 'image', value: png, type: 'image/png' })).status).toBe(200)
    const { contents } = JSON.parse(String(upstream.seen[0]?.body))
    expect(contents[0].parts[1].inlineData).toEqual({ mimeType: 'image/png', data: png.toString('base64') })
  })

  const sumOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex')

  test.each([
    ['a form that is cut', () => post(formBytes([prompt, file()]).subarray(0, -10)), 400, /cut or malformed/],
    ['no form', () => post('hello'), 400, /cut or malformed/],
    ['a form of nothing', () => post(`--${boundary}--\r\n`), 400, /prompt/],
    ['no boundary', () => post('x', 'multipart/form-data'), 400, /boundary/],
    ['a part without a head', () => post(`--${boundary}\r\n\r\nx\r\n--${boundary}--`), 400, /no name/],
    ['a part without the end of its head', () => post(`--${boundary}\r\nx: y\r\n--${boundary}--`), 400, /malformed/],
    ['a name with a line break', () => edit(prompt, { name: 'a\r\nb', value: 'x' }), 400, /malformed/],
    ['a head of 200 KB', () => edit(prompt, file({ headers: [`X-A: ${'a'.repeat(200_000)}`] })), 400, /malformed/],
    ['a field twice', () => edit(prompt, prompt), 400, /'prompt' stands there twice/],
    ['__proto__', () => edit(prompt, { name: '__proto__', value: 'x' }), 400, /__proto__/],
    [
      '__proto__ for a model of OpenAI’s',
      () => edit(prompt, file(), { name: 'model', value: 'gpt-image-2' }, { name: '__proto__', value: 'x' }),
      400,
      /__proto__/,
    ],
    ['an empty file', () => edit(prompt, file({ value: '' })), 400, /empty/],
    [
      'a file that is too large',
      () => edit(prompt, file({ value: Buffer.alloc((2 << 20) + 1) })),
      413,
      /'image' is larger/,
    ],
    ['too many files', () => edit(prompt, ...[1, 2, 3, 4, 5, 6].map(() => file())), 413, /more than 5 files or/],
    ['a form that is too large', () => edit(prompt, file({ value: Buffer.alloc(maxBodyBytes) })), 413, /larger than/],
    ['a text that is too large', () => edit({ name: 'prompt', value: 'a'.repeat(300_000) }), 413, /'prompt'/],
    ['a text in no UTF-8', () => edit({ name: 'prompt', value: Buffer.from([0xfc]) }), 400, /UTF-8/],
    ['base64', () => edit(prompt, file({ headers: ['Content-Transfer-Encoding: base64'] })), 400, /encoded as/],
    ['a file for a text', () => edit(file({ name: 'prompt' })), 400, /'prompt'/],
  ])('%s is refused', async (_name, send, status, says) => {
    const answer = await send()
    expect([answer.status, answer.json.error.message]).toEqual([status, expect.stringMatching(says)])
    expect(upstream.seen).toEqual([])
    expect((await edit(prompt, file())).status).toBe(200)
  })

  test('a form of very many parts is refused while it comes', async () => {
    const parts = Buffer.from(`\r\n\r\n\r\n--${boundary}`.repeat(1000))
    const head = ['POST /v1/images/edits HTTP/1.1', 'host: a', `content-type: ${formType}`, 'content-length: 4000000']
    const { status, body } = await rawHttp(gateway.url, `${head.join('\r\n')}\r\n\r\n--${boundary}`, parts)
    expect([status, JSON.parse(body).error.message]).toEqual([413, expect.stringMatching(/more than 60 text fields/)])
  })

  test('bytes outside the form do no harm', async () => {
    const bytes = Buffer.concat([Buffer.from('preamble\r\n'), formBytes([prompt, file()]), Buffer.from('epilogue')])
    expect((await post(bytes)).status).toBe(200)
  })
})
