/** A law: what is passed on is passed on byte for byte, both ways, however it is spelt and however it is cut. */
import fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { anyText, chunksAt, cuts, jsonValue, spelling } from '../helpers/documents.ts'
import { formBytes, formType } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'
import { type File, references } from './wishes.ts'

const runs = 25
const openaiModel = 'gpt-image-2'
let upstream: ScriptedUpstream
let openai: TestGateway
let gemini: TestGateway
let files: readonly File[]

beforeAll(async () => {
  files = await references()
  upstream = await startUpstream(() => {})
  const at = { name: 'openai', protocol: 'openai', dialect: 'openai', baseUrl: `${upstream.url}/v1` } as const
  openai = await startGateway({ upstream: upstream.url, upstreamConfig: at })
  gemini = await startGateway({ upstream: upstream.url })
})
afterAll(async () => {
  for (const each of [openai, gemini, upstream]) await each.close()
})

interface Exchanged {
  readonly path: string
  readonly type: string
  readonly body: Buffer
  readonly answer: Buffer
  readonly answerType: string
  readonly shares: readonly number[]
}

/** Sends it through the gateway, and answers it piece by piece. */
async function expectPassed(gateway: TestGateway, exchanged: Exchanged): Promise<void> {
  const { path, type, body, answer, answerType, shares } = exchanged
  upstream.seen.length = 0
  upstream.script = async (_request, response) => {
    response.writeHead(200, { 'content-type': answerType })
    for (const chunk of chunksAt(answer, shares)) {
      if (!response.write(chunk)) await new Promise(resolve => response.once('drain', resolve))
    }
    response.end()
  }
  const headers = { 'content-type': type }
  const response = await fetch(gateway.url + path, { method: 'POST', headers, body: new Uint8Array(body) })
  const down = Buffer.from(await response.arrayBuffer())
  expect(response.status, down.toString().slice(0, 500)).toBe(200)
  expect(upstream.seen.map(seen => seen.body.equals(body))).toEqual([true])
  expect(down.equals(answer)).toBe(true)
}

/** Names of OpenAI's own and of nobody's, since another vendor's would be understood here and not there. */
const fieldName = fc.constantFrom(
  'n',
  'size',
  'quality',
  'background',
  'user',
  'output_format',
  'moderation',
  'tomorrow',
  'x',
)
// A key of that name is refused, wherever it stands.
const fieldValue = jsonValue.filter(value => !JSON.stringify(value).includes('"__proto__"'))
const fields = fc.dictionary(fieldName, fieldValue, { maxKeys: 4, noNullPrototype: true })
const picture = fc.nat(2).map(number => files[number]?.bytes.toString('base64') ?? '')
const rest = fc.dictionary(fc.constantFrom('created', 'usage', 'later', 'size'), jsonValue, {
  maxKeys: 3,
  noNullPrototype: true,
})
const openaiAnswer = fc.tuple(picture, rest).map(([b64_json, more]) => ({ ...more, data: [{ b64_json }] }))
const googleAnswer = fc.tuple(picture, rest).map(([data, more]) => ({
  ...more,
  candidates: [{ content: { parts: [{ inlineData: { mimeType: 'image/png', data } }] }, finishReason: 'STOP' }],
}))
const bytesOf = (value: fc.Arbitrary<object>) =>
  fc.tuple(value, spelling).map(([document, spell]) => Buffer.from(spell(JSON.stringify(document))))

const openaiCall = fc.tuple(anyText(40), fields).map(([prompt, more]) => ({ ...more, model: openaiModel, prompt }))
const googleCall = fc.tuple(anyText(40), fields, picture).map(([text, more, data]) => ({
  ...more,
  contents: [{ role: 'user', parts: [{ text }, { inlineData: { mimeType: 'image/png', data } }] }],
}))

test('JSON in OpenAI’s form', async () => {
  await fc.assert(
    fc.asyncProperty(bytesOf(openaiCall), bytesOf(openaiAnswer), cuts, async (body, answer, shares) => {
      const json = 'application/json'
      const path = '/v1/images/generations'
      await expectPassed(openai, { path, type: json, body, answer, answerType: json, shares })
    }),
    { numRuns: runs },
  )
})

test('forms', async () => {
  // `moderation` is a field of generations alone: in a form it would be what OpenAI refuses.
  const formField = fieldName.filter(name => name !== 'moderation')
  const textPart = fc.tuple(formField, fc.string({ unit: 'grapheme', maxLength: 40 }))
  const texts = fc.uniqueArray(textPart, { maxLength: 4, selector: ([name]) => name })
  const pictures = fc.array(fc.nat(2), { minLength: 1, maxLength: 4 })
  await fc.assert(
    fc.asyncProperty(
      texts,
      pictures,
      fc.nat(4),
      bytesOf(openaiAnswer),
      cuts,
      async (said, numbers, at, answer, shares) => {
        const images = numbers.map((number, index) => ({
          name: 'image[]',
          value: files[number]?.bytes ?? Buffer.alloc(0),
          fileName: `${index} ä.png`,
          type: files[number]?.type ?? '',
        }))
        const parts = [
          { name: 'model', value: openaiModel },
          { name: 'prompt', value: 'A kite' },
          ...said.map(([name, value]) => ({ name, value })),
        ]
        const body = formBytes([...parts.slice(0, at), ...images, ...parts.slice(at)])
        const [path, answerType] = ['/v1/images/edits', 'application/json']
        await expectPassed(openai, { path, type: formType, body, answer, answerType, shares })
      },
    ),
    { numRuns: runs },
  )
})

test('JSON in Google’s form', async () => {
  await fc.assert(
    fc.asyncProperty(bytesOf(googleCall), bytesOf(googleAnswer), cuts, async (body, answer, shares) => {
      const json = 'application/json'
      const path = '/v1beta/models/gemini-2.5-flash-image:generateContent'
      await expectPassed(gemini, { path, type: json, body, answer, answerType: json, shares })
    }),
    { numRuns: runs },
  )
})

/** Events with comments and odd line ends between them, as some servers send them. */
const eventsOf = (document: fc.Arbitrary<object>, name: string) =>
  fc
    .array(fc.tuple(document, fc.constantFrom('\n\n', '\r\n\r\n', '\n\n: ping\n\n')), { minLength: 1, maxLength: 4 })
    .map(events => Buffer.from(events.map(([one, end]) => `${name}data: ${JSON.stringify(one)}${end}`).join('')))

test('events, of either protocol', async () => {
  const answerType = 'text/event-stream'
  const type = 'application/json'
  const completed = fc
    .tuple(picture, rest)
    .map(([b64_json, more]) => ({ ...more, type: 'image_generation.completed', b64_json }))
  await fc.assert(
    fc.asyncProperty(eventsOf(completed, 'event: image_generation.completed\n'), cuts, async (answer, shares) => {
      const body = Buffer.from(JSON.stringify({ model: openaiModel, prompt: 'A kite', stream: true }))
      await expectPassed(openai, { path: '/v1/images/generations', type, body, answer, answerType, shares })
    }),
    { numRuns: runs },
  )
  await fc.assert(
    fc.asyncProperty(eventsOf(googleAnswer, ''), bytesOf(googleCall), cuts, async (answer, body, shares) => {
      const path = '/v1beta/models/gemini-2.5-flash-image:streamGenerateContent?alt=sse'
      await expectPassed(gemini, { path, type, body, answer, answerType, shares })
    }),
    { numRuns: runs },
  )
})
