/** AI/ML API: Nano Banana 2 under `google/…` ids; its own errors, and answers as address or base64 as it likes. */
import { randomUUID } from 'node:crypto'
import { pixelsOf } from '../../src/sandbox/model.ts'
import { type Call, countOf, type FakeUpstream, json, Refused, type Reply, weightOf } from './contract.ts'
import { startFake } from './fake.ts'
import { type Fault, findFault, isObject, type Rules } from './fields.ts'
import { flash31 } from './gemini-models.ts'
import { isWebAddress, lookAt, readDataUrl } from './look.ts'
import { type FailureWords, failureOf } from './openai-errors.ts'
import { addressOf, lostAddress, servePicture } from './picture-host.ts'

const key = 'aiml-good-key'
const path = '/v1/images/generations'

export const startAimlapi = (): Promise<FakeUpstream> =>
  startFake({
    name: 'aimlapi',
    protocol: 'openai',
    dialect: 'aimlapi',
    key,
    basePath: '/v1',
    answers: [
      'ok',
      'refusal',
      'rate-limited',
      'quota-exhausted',
      'unauthorized',
      'server-error',
      'cut',
      'slow',
      'text-only',
      'empty',
      'lost-picture',
    ],
    serve,
    aside: servePicture,
  })

/** The lists of values are missing from the seed; these are in the schema on the vendor's own page (docs.aimlapi.com, Nano Banana 2). */
const shape: Rules = {
  model: { is: 'choice', of: ['google/nano-banana-2', 'google/gemini-3-1-flash-image-preview'], required: true },
  prompt: { is: 'text', required: true },
  image_urls: { is: 'list' },
  aspect_ratio: { is: 'choice', of: ['1:1', '9:16', '16:9', '3:4', '4:3'] },
  resolution: { is: 'choice', of: ['1K', '2K', '4K'] },
  enable_web_search: { is: 'switch' },
}
const mostImages = 5

async function serve(call: Call): Promise<Reply> {
  const { method, headers, body } = call.request
  if (headers.authorization !== `Bearer ${key}`) throw new Refused('A wrong key.', words.unauthorized())
  if (method !== 'POST' || call.request.path !== path) throw refuse(404, `Cannot ${method} ${call.request.path}`)
  if (body.kind === 'unreadable') throw refuse(400, body.problem)
  if (body.kind !== 'json' || !isObject(body.value)) throw invalid('Expected object')
  const fault = findFault(shape, body.value)
  if (fault) throw invalid(sentence(fault))
  await checkImages(Array.isArray(body.value.image_urls) ? body.value.image_urls : [])
  const { aspect_ratio: ratio = '1:1', resolution = '1K' } = body.value
  return await paint(
    call,
    pixelsOf(flash31, String(ratio), resolution === '2K' || resolution === '4K' ? resolution : '1K'),
  )
}

/** "URLs or local Base64 encoded images", each a `uri`: of base64 that is a data URL. */
async function checkImages(images: readonly unknown[]): Promise<void> {
  if (images.length > mostImages) throw invalid(`image_urls: Array must contain at most ${mostImages} element(s)`)
  for (const [index, image] of images.entries()) {
    const data = typeof image === 'string' ? readDataUrl(image) : null
    const good = data
      ? (await lookAt(data.bytes))?.type === data.type
      : typeof image === 'string' && isWebAddress(image)
    if (!good) throw invalid(`image_urls[${index}]: Invalid url`)
  }
}

function sentence(fault: Fault): string {
  const { field } = fault
  switch (fault.why) {
    case 'unknown':
      return `Unrecognized key(s) in object: '${field}'`
    case 'missing':
      return `${field}: Required`
    case 'type':
      return `${field}: Expected ${fault.expected.replace(/^an? /, '')}, received ${fault.got.replace(/^an? /, '')}`
    case 'value':
      return `${field}: Invalid enum value. Expected ${fault.allowed.map(value => `'${value}'`).join(' | ')}, received '${fault.value}'`
    default:
      return `${field}: Invalid input`
  }
}

/** The structure that the vendor's page of errors gives, the status as a string among it. It says nothing of `Retry-After`. */
const errorReply = (status: number, message: string): Reply =>
  json(status, {
    message,
    path,
    requestId: randomUUID(),
    statusCode: `${status}`,
    timestamp: new Date().toISOString(),
  })

const refuse = (status: number, message: string): Refused => new Refused(message, errorReply(status, message))
const invalid = (why: string): Refused => refuse(400, `Body validation error! ${why}`)

const words: FailureWords = {
  unauthorized: () => errorReply(401, 'Unauthorized'),
  rateLimited: () =>
    errorReply(429, "Free-tier limit: You've reached your free limit for the hour. Get AI/ML Subscription to use API."),
  quotaExhausted: () => errorReply(403, "You've run out of credits. Please top up your balance."),
  serverError: status =>
    errorReply(
      status,
      status === 500 ? 'Internal server error' : 'The model is temporarily unavailable, try again later.',
    ),
  refusal: () => errorReply(400, 'The request was rejected because it may contain prohibited content.'),
}

async function paint(call: Call, pixels: { readonly width: number; readonly height: number }): Promise<Reply> {
  const answer = call.take()
  const failure = failureOf(answer, words)
  if (failure) return failure
  const data: object[] = []
  for (let left = countOf(answer, 1); left > 0; left--) {
    if (answer.kind === 'lost-picture') data.push({ url: lostAddress(call) })
    else {
      const picture = await call.studio.paint({ type: 'image/png', ...pixels, ...weightOf(answer) })
      const asBase64 = answer.kind === 'ok' && answer.as === 'b64_json'
      data.push(asBase64 ? { b64_json: picture.bytes.toString('base64') } : { url: addressOf(call, picture) })
    }
  }
  // No `created`: the vendor's sample answers have none.
  return json(200, { data })
}
