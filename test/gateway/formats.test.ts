/** Which file a caller gets: as it came, or of the type and weight that was asked for, and the labels say what it is. */
import sharp from 'sharp'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { ask, askOpenai, read } from '../helpers/callers.ts'
import { eventually } from '../helpers/descriptors.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { json, type Script, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { gradient, see } from '../pixels/masked-pictures.ts'

const size = { width: 90, height: 60 }
const jpegModel = 'gemini-3.1-flash-image'
const pngModel = 'gemini-2.5-flash-image'

let upstream: ScriptedUpstream
let gateway: TestGateway
/** With a note inside that only untouched bytes keep. */
let jpeg: Buffer
let png: Buffer

const paints = (file: Buffer, type = 'image/png'): Script =>
  json({
    candidates: [
      {
        content: { parts: [{ inlineData: { mimeType: type, data: file.toString('base64') } }] },
        finishReason: 'STOP',
      },
    ],
  })

beforeAll(async () => {
  const note = { IFD0: { Copyright: 'painted by a machine' } }
  ;[jpeg, png] = await Promise.all([
    gradient(size).withExif(note).jpeg().toBuffer(),
    gradient(size).withExif(note).png().toBuffer(),
  ])
  upstream = await startUpstream(paints(jpeg))
  // Plain buffers: of slabs, open connections would keep some.
  gateway = await startGateway({ upstream: upstream.url, slabs: false })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})
beforeEach(() => {
  upstream.seen.length = 0
  upstream.script = paints(jpeg)
})

async function filesOf(body: object) {
  const { status, json: answer, headers } = await askOpenai(gateway, body)
  expect([status, answer.error]).toEqual([200, undefined])
  const files: Buffer[] = answer.data.map((item: { b64_json: string }) => Buffer.from(item.b64_json, 'base64'))
  const [first = Buffer.alloc(0)] = files
  const { format, width, height } = await sharp(first).metadata()
  expect(answer).toMatchObject({ output_format: format, size: `${width}x${height}` })
  return { files, file: first, format, headers }
}

describe('not a byte changes', () => {
  test.each([
    ['nothing is asked', {}],
    ['what came is of the type asked for', { output_format: 'jpeg' }],
    ['all of its quality is asked for', { output_format: 'jpeg', output_compression: 100 }],
    ['all of the quality of whatever it is', { output_compression: 100 }],
  ])('where %s: metadata and all', async (_what, body) => {
    expect((await filesOf({ model: jpegModel, ...body })).file.equals(jpeg)).toBe(true)
  })

  test.each([{ output_format: 'png' }, { output_format: 'png', output_compression: 100 }])(
    'where a PNG came and is asked for: %j',
    async body => {
      upstream.script = paints(png)
      expect((await filesOf({ model: pngModel, ...body })).file.equals(png)).toBe(true)
      // By its bytes, whatever the model usually makes and the label says.
      upstream.script = paints(png, 'image/jpeg')
      expect((await filesOf({ model: jpegModel, ...body })).file.equals(png)).toBe(true)
    },
  )
})

describe('output_format', () => {
  test.each(['png', 'jpeg', 'webp'] as const)('%s is what every model gives', async output_format => {
    for (const [model, painted] of [
      [jpegModel, jpeg],
      [pngModel, png],
      ['a-model-nobody-knows', png],
    ] as const) {
      upstream.script = paints(painted)
      const { file, format } = await filesOf({ model, output_format })
      expect(format).toBe(output_format)
      expect(await see(file)).toMatchObject(size)
    }
  })

  test('holds for every picture of several', async () => {
    const { files } = await filesOf({ model: jpegModel, output_format: 'webp', n: 3 })
    const formats = await Promise.all(files.map(async file => (await sharp(file).metadata()).format))
    expect(formats).toEqual(['webp', 'webp', 'webp'])
  })

  test('that can’t be made from a broken picture is the upstream’s failure, and nothing of it is kept', async () => {
    upstream.script = paints(jpeg.subarray(0, jpeg.length - 300))
    const { status, json: answer } = await askOpenai(gateway, { model: jpegModel, output_format: 'png' })
    expect(status).toBe(502)
    expect(answer.error.code).toBe('upstream_failed')
    expect(await gateway.metric('plantain_answer_bytes_in_memory')).toBe(0)
  })

  test('is taken in a form, too', async () => {
    const { status, json: answer } = await read(
      await fetch(`${gateway.url}/v1/images/edits`, { method: 'POST', body: form({ output_format: 'webp' }) }),
    )
    expect([status, answer.output_format]).toEqual([200, 'webp'])
  })
})

test('a Gemini caller whose pictures are made anew keeps what the model wants to see again', async () => {
  const signature = Buffer.from('what the model thought '.repeat(100)).toString('base64')
  const inlineData = { mimeType: 'image/jpeg', data: jpeg.toString('base64') }
  upstream.script = json({
    candidates: [{ content: { parts: [{ inlineData, thoughtSignature: signature }] }, finishReason: 'STOP' }],
  })
  const imageConfig = { imageOutputOptions: { mimeType: 'image/png' } }
  const body = {
    contents: [{ role: 'user', parts: [{ text: 'A red kite' }] }],
    // Two make the call one that is translated.
    generationConfig: { candidateCount: 2, imageConfig },
  }
  const { status, json: answer } = await ask(gateway, `/v1beta/models/${jpegModel}:generateContent`, body)
  expect([status, answer.error]).toEqual([200, undefined])
  for (const { content } of answer.candidates) {
    const part = content.parts.find((each: { inlineData?: object }) => each.inlineData)
    expect(part).toMatchObject({ inlineData: { mimeType: 'image/png' }, thoughtSignature: signature })
    expect((await sharp(Buffer.from(part.inlineData.data, 'base64')).metadata()).format).toBe('png')
  }
  expect(answer.candidates).toHaveLength(2)
})

describe('output_compression', () => {
  test.each(['jpeg', 'webp'])('below 100 makes a smaller %s, the smaller the less', async output_format => {
    const lengths: number[] = []
    for (const output_compression of [10, 50, 90]) {
      const { file, format } = await filesOf({ model: jpegModel, output_format, output_compression })
      expect(format).toBe(output_format)
      lengths.push(file.length)
    }
    expect(lengths.toSorted((a, b) => a - b)).toEqual(lengths)
    expect(new Set(lengths).size).toBe(3)
  })

  test('without a format is of the type the model makes', async () => {
    const { file, format } = await filesOf({ model: jpegModel, output_compression: 20 })
    expect(format).toBe('jpeg')
    expect(file.length).toBeLessThan(jpeg.length)
    upstream.script = paints(png)
    expect((await filesOf({ model: jpegModel, output_compression: 20 })).format).toBe('jpeg')
  })

  test.each([
    { model: jpegModel, output_format: 'png', output_compression: 99 },
    { model: pngModel, output_compression: 50 },
    { model: 'a-model-nobody-knows', output_compression: 50 },
  ])('of a PNG is refused before anything is paid: %j', async body => {
    const { status, json: answer } = await askOpenai(gateway, body)
    expect(status).toBe(400)
    expect(answer.error).toMatchObject({ param: 'output_compression', code: 'invalid_png_output_compression' })
    expect(upstream.seen).toHaveLength(0)
  })
})

const form = (fields: Readonly<Record<string, string>>): FormData => {
  const data = new FormData()
  data.set('prompt', 'A red kite')
  data.set('image', new Blob([new Uint8Array(png)]), 'a.png')
  for (const [name, value] of Object.entries(fields)) data.set(name, value)
  return data
}

describe('while pictures are made anew', () => {
  test('who would find the line full is turned away before anything is paid', async () => {
    upstream.script = () => {}
    const leaving = new AbortController()
    const ask = () =>
      fetch(`${gateway.url}/v1/images/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'A red kite', output_format: 'png', n: 10 }),
        signal: leaving.signal,
      }).catch(() => null)
    const waiting = Array.from({ length: 51 }, ask)
    expect(await eventually(() => upstream.seen.length === 510)).toBe(true)
    const { status, json: answer, headers } = await askOpenai(gateway, { output_format: 'png', n: 10 })
    expect([status, answer.error.code, headers.get('retry-after')]).toEqual([503, 'overloaded', '2'])
    expect(upstream.seen).toHaveLength(510)
    leaving.abort()
    await Promise.all(waiting)
    upstream.script = paints(jpeg)
    const isServed = async () => (await askOpenai(gateway, { output_format: 'png', n: 10 })).status === 200
    expect(await eventually(isServed)).toBe(true)
  })

  test('others are served, and callers who leave take their pictures along', async () => {
    const large = await gradient({ width: 3000, height: 3000 }).jpeg().toBuffer()
    upstream.script = paints(large)
    const leaving = new AbortController()
    const calls = Array.from({ length: 6 }, () =>
      fetch(`${gateway.url}/v1/images/generations`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ prompt: 'A red kite', output_format: 'png' }),
        signal: leaving.signal,
      }).catch(() => null),
    )
    const healthy = async () => (await fetch(`${gateway.url}/healthz`)).status
    await eventually(() => upstream.seen.length === 6)
    expect(await healthy()).toBe(200)
    leaving.abort()
    await Promise.all(calls)
    const left = () => gateway.log.filter(({ outcome }) => outcome === 'left').length
    expect(await eventually(() => left() > 0 && gateway.log.filter(line => line.msg === 'exchange').length >= 6)).toBe(
      true,
    )
    upstream.script = paints(jpeg)
    expect((await filesOf({ model: jpegModel, output_format: 'png' })).format).toBe('png')
    expect(await gateway.metric('plantain_answer_bytes_in_memory')).toBe(0)
  })
})
