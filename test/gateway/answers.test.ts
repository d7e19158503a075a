/** Every shape in which Google sends a picture, seen by callers of both protocols. */
import { createHash, randomBytes } from 'node:crypto'
import sharp from 'sharp'
import { describe, expect, test } from 'vitest'
import { answerWith, fixture, picturesOf } from '../fixtures/gemini.ts'
import { askGemini, askOpenai } from '../helpers/callers.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'
import type { Script } from '../helpers/scripted-upstream.ts'

const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'))

/** Which of the document's pictures is the answer, and why. */
const answers: readonly (readonly [string, string, number])[] = [
  ['text, then the picture', 'text-then-image', 0],
  ['the picture, then text', 'image-then-text', 0],
  ['a JPEG alone', 'image-only-jpeg', 0],
  ['a WebP', 'webp', 0],
  ['a picture so small that it is no long string', 'tiny-picture', 0],
  ['of several drafts the last', 'two-drafts-then-final', 2],
  ['thoughts are no answer', 'thoughts-then-final', 2],
  ['a thought after the answer neither', 'final-then-thought', 0],
  ['of thoughts alone the last', 'thoughts-only', 1],
  ['MAX_TOKENS, and the picture is there', 'max-tokens-with-image', 0],
  ['a finish reason nobody knows', 'unknown-reason-with-image', 0],
  ['no finish reason and no usage', 'no-finish-reason', 0],
  ['a label that lies', 'label-lies', 0],
  ['base64 in the URL-safe alphabet, unpadded', 'url-safe-base64', 0],
  ['fields nobody has heard of', 'fields-of-tomorrow', 0],
  ['numbers in the place of words', 'numbers-for-words', 0],
  ['null in every place', 'nulls-everywhere', 0],
]

describe('an OpenAI caller gets the picture, with its true type and size', () => {
  test.each(answers)('%s', async (_what, name, index) => {
    upstream.script = answerWith(`answers/${name}.json`)
    const { status, headers, json, line } = await askOpenai(gateway)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json')
    expect(json.data).toHaveLength(1)
    const base64: string = json.data[0].b64_json
    expect(base64).toMatch(/^[A-Za-z0-9+/]+={0,2}$/)
    expect(base64.length % 4).toBe(0)
    const bytes = Buffer.from(base64, 'base64')
    expect(bytes.equals(picturesOf(`answers/${name}.json`)[index] ?? Buffer.alloc(0))).toBe(true)
    const { format, width, height } = await sharp(bytes).metadata()
    expect(json).toMatchObject({ output_format: format, size: `${width}x${height}` })
    expect(Math.abs(json.created - Date.now() / 1000)).toBeLessThan(60)
    expect(line).toMatchObject({ outcome: 'ok', status: 200, images: 1, attempts: 1, upstream: 'google' })
  })

  test('the exact length is told before the first byte', async () => {
    upstream.script = answerWith('answers/two-drafts-then-final.json')
    const { headers, text } = await askOpenai(gateway)
    expect(headers.get('content-length')).toBe(String(Buffer.byteLength(text)))
    expect(headers.get('transfer-encoding')).toBeNull()
  })
})

describe('pictures that fill many buffers, of which those that are no answer are freed while the others come', () => {
  const noise = async () =>
    sharp(randomBytes(3 * 700 * 700), { raw: { width: 700, height: 700, channels: 3 } })
      .png()
      .toBuffer()
  const partOf = (file: Buffer, more: object = {}) => ({
    inlineData: { mimeType: 'image/png', data: file.toString('base64') },
    ...more,
  })
  const pieces = (...all: readonly string[]): Script => {
    return async (_request, response) => {
      response.writeHead(200, { 'content-type': 'application/json' })
      for (const piece of all) {
        await new Promise(resolve => response.write(piece, resolve))
        await new Promise(resolve => setTimeout(resolve, 20))
      }
      response.end()
    }
  }
  const hashOf = (file: Buffer | undefined) =>
    createHash('sha256')
      .update(file ?? '')
      .digest('hex')
  /** Of each picture in an answer. A document with holes in it is no JSON. */
  const hashesIn = ({ json }: { readonly json?: { readonly data: readonly { readonly b64_json: string }[] } }) =>
    json?.data.map(({ b64_json }) => hashOf(Buffer.from(b64_json, 'base64')))

  test('of several candidates each has its own', async () => {
    const files = [await noise(), await noise(), await noise(), await noise()]
    const [one, two, three, four] = files.map(file => partOf(file))
    const candidates = [[one], [two, three], [four]].map((parts, index) => ({
      content: { role: 'model', parts },
      finishReason: 'STOP',
      index,
    }))
    upstream.script = pieces(JSON.stringify({ candidates }))
    const answer = await askOpenai(gateway)
    expect(answer.status).toBe(200)
    expect(hashesIn(answer)).toEqual([files[0], files[2], files[3]].map(hashOf))
  })

  test('a thought that says so behind its picture takes the place of no answer, wherever the document is cut', async () => {
    const [file, thought] = [await noise(), await noise()]
    const parts = [partOf(file), partOf(thought, { thoughtSignature: 'A'.repeat(2000), thought: true })]
    const text = JSON.stringify({ candidates: [{ content: { role: 'model', parts }, finishReason: 'STOP' }] })
    for (const place of ['"thoughtSignature"', '"thought"']) {
      const cut = text.indexOf(place)
      upstream.script = pieces(text.slice(0, cut), text.slice(cut))
      const answer = await askOpenai(gateway)
      expect(answer.status).toBe(200)
      expect(hashesIn(answer)).toEqual([hashOf(file)])
    }
  })
})

describe('a Gemini caller gets the document as it came', () => {
  test.each(answers)('%s', async (_what, name) => {
    upstream.script = answerWith(`answers/${name}.json`)
    const { status, text, headers, line } = await askGemini(gateway)
    expect(status).toBe(200)
    expect(headers.get('content-type')).toBe('application/json; charset=UTF-8')
    expect(text).toBe(fixture(`answers/${name}.json`).toString())
    const images = name === 'thoughts-only' ? 0 : 1
    expect(line).toMatchObject({ outcome: 'ok', status: 200, upstream: 'google', images })
  })

  test('a candidate counts as one picture, in whichever event of a stream it comes, a picture by its address too', async () => {
    const inline = { inlineData: { mimeType: 'image/png', data: 'iVBORw0KGgo=' } }
    const byAddress = { fileData: { mimeType: 'image/png', fileUri: 'https://pictures.example/1.png' } }
    const events = [
      [{ content: { parts: [{ ...inline, thought: true }, inline] }, index: 0 }],
      [{ content: { parts: [inline] }, index: 0, finishReason: 'STOP' }],
      [{ content: { parts: [byAddress] }, index: 1, finishReason: 'STOP' }],
    ].map(candidates => `data: ${JSON.stringify({ candidates })}\r\n\r\n`)
    upstream.script = (_request, response) =>
      void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(events.join(''))
    const { line } = await askGemini(gateway, 'gemini-3.1-flash-image', 'streamGenerateContent')
    expect(line).toMatchObject({ outcome: 'ok', images: 2 })
  })

  test("the upstream's own headers stay behind, but for type and length", async () => {
    const body = fixture('answers/tiny-picture.json')
    upstream.script = (_request, response) => {
      const own = { server: 'scaffolding on HTTPServer2', 'x-goog-secret': '1', 'set-cookie': 'a=b', via: '1.1 google' }
      const type = { 'content-type': 'application/json; charset=UTF-8', 'content-length': body.length }
      response.writeHead(200, { ...own, ...type }).end(body)
    }
    const { headers } = await askGemini(gateway)
    for (const name of ['server', 'x-goog-secret', 'set-cookie', 'via']) expect(headers.get(name)).toBeNull()
    expect(headers.get('content-length')).toBe(String(body.length))
  })
})

/** What Google counts → what an OpenAI caller reads, and what the log says. */
const usages: readonly (readonly [string, string, object | undefined, object])[] = [
  [
    'text and pictures of the prompt are told apart',
    'split',
    {
      total_tokens: 1558,
      input_tokens: 268,
      output_tokens: 1290,
      input_tokens_details: { text_tokens: 10, image_tokens: 258 },
      output_tokens_details: { text_tokens: 0, image_tokens: 1290 },
    },
    { inputTokens: 268, outputTokens: 1290 },
  ],
  [
    'thoughts are output, and count as text',
    'thoughts-are-output',
    {
      total_tokens: 1445,
      input_tokens: 12,
      output_tokens: 1433,
      input_tokens_details: { text_tokens: 12, image_tokens: 0 },
      output_tokens_details: { text_tokens: 313, image_tokens: 1120 },
    },
    { inputTokens: 12, outputTokens: 1433 },
  ],
  [
    'output is the total without the input, whatever the candidates are said to cost',
    'candidates-above-sum',
    {
      total_tokens: 1129,
      input_tokens: 9,
      output_tokens: 1120,
      input_tokens_details: { text_tokens: 9, image_tokens: 0 },
      output_tokens_details: { text_tokens: 0, image_tokens: 1120 },
    },
    { inputTokens: 9, outputTokens: 1120 },
  ],
  [
    'what a search read is input',
    'tool-use',
    {
      total_tokens: 1429,
      input_tokens: 309,
      output_tokens: 1120,
      input_tokens_details: { text_tokens: 309, image_tokens: 0 },
      output_tokens_details: { text_tokens: 0, image_tokens: 1120 },
    },
    { inputTokens: 309, outputTokens: 1120 },
  ],
  [
    'an output that is not split is told as a sum',
    'output-details-missing',
    {
      total_tokens: 1298,
      input_tokens: 8,
      output_tokens: 1290,
      input_tokens_details: { text_tokens: 8, image_tokens: 0 },
    },
    { inputTokens: 8, outputTokens: 1290 },
  ],
  // Clients read the input's details wherever there is a usage.
  ['an input that is not split is not told', 'without-details', undefined, { inputTokens: 8, outputTokens: 1290 }],
  ['strings are no counts', 'strings', undefined, {}],
  ['negative numbers are no counts', 'negative', undefined, {}],
  ['nor is a usage that is a number', 'not-an-object', undefined, {}],
  ['nor what no computer can count', 'huge', undefined, {}],
]

describe('usage', () => {
  test.each(usages)('%s', async (_what, name, usage, logged) => {
    upstream.script = answerWith(`usage/${name}.json`)
    const { status, json, line } = await askOpenai(gateway)
    expect(status).toBe(200)
    expect(json.usage).toEqual(usage)
    expect('usage' in json).toBe(usage !== undefined)
    expect(line).toMatchObject({ outcome: 'ok', ...logged })
    if (Object.keys(logged).length === 0) expect(line).not.toHaveProperty('inputTokens')
  })

  test.each(usages)('is read beside a relay: %s', async (_what, name, _usage, logged) => {
    upstream.script = answerWith(`usage/${name}.json`)
    const { text, line } = await askGemini(gateway)
    expect(text).toBe(fixture(`usage/${name}.json`).toString())
    expect(line).toMatchObject({ outcome: 'ok', images: 1, ...logged })
  })
})
