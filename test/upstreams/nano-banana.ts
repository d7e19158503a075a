/** The nano-banana API: three models, answers by address unless base64 is asked for, errors without `param`. */
import { pixelsOf } from '../../src/sandbox/model.ts'
import { type Call, countOf, type FakeUpstream, json, Refused, type Reply, weightOf } from './contract.ts'
import { startFake } from './fake.ts'
import { type Fault, type Fields, findFault, isObject, type Rules, readFormFields, textOf } from './fields.ts'
import type { FormPart } from './form.ts'
import { flash25, flash31 } from './gemini-models.ts'
import { decodeBase64, isWebAddress, lookAt } from './look.ts'
import { type FailureWords, failureOf } from './openai-errors.ts'
import { addressOf, lostAddress, servePicture } from './picture-host.ts'

const key = 'nb-good-key'

export const startNanoBanana = (): Promise<FakeUpstream> =>
  startFake({
    name: 'nano-banana',
    protocol: 'openai',
    dialect: 'nano-banana',
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

async function serve(call: Call): Promise<Reply> {
  const { method, path, headers } = call.request
  if (headers.authorization !== `Bearer ${key}`) throw new Refused('A wrong key.', words.unauthorized())
  if (method === 'POST' && path === '/v1/images/generations') return await generations(call)
  if (method === 'POST' && path === '/v1/images/edits') return await edits(call)
  const message = `Not found: ${method} ${path}`
  throw new Refused(message, errorReply(404, message, 'not_found'))
}

const models = ['nano-banana', 'nano-banana-2', 'nano-banana-hd']
const shape: Rules = {
  model: { is: 'choice', of: models, required: true },
  prompt: { is: 'text', required: true },
  aspect_ratio: {
    is: 'choice',
    of: ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'],
  },
  response_format: { is: 'choice', of: ['url', 'b64_json'] },
  image_size: { is: 'choice', of: ['1K', '2K', '4K'] },
}
const generationShape: Rules = { ...shape, image: { is: 'list' } }
const editShape: Rules = { ...shape, image: { is: 'text' } }

async function generations(call: Call): Promise<Reply> {
  const { body } = call.request
  if (body.kind === 'unreadable') throw invalid(`Invalid request body: ${body.problem}`)
  if (body.kind !== 'json' || !isObject(body.value)) throw invalid('Invalid request body: a JSON object is expected')
  check(generationShape, body.value)
  for (const image of Array.isArray(body.value.image) ? body.value.image : []) await checkImage(image)
  return await paint(call, body.value)
}

async function edits(call: Call): Promise<Reply> {
  const { body } = call.request
  if (body.kind === 'unreadable') throw invalid(`Invalid request body: ${body.problem}`)
  if (body.kind !== 'form') throw invalid('Invalid request body: multipart/form-data is expected')
  const { fields, files, fault } = readFormFields(editShape, body.parts)
  if (fault) throw invalid(sentence(fault))
  check(editShape, fields)
  await checkEditImage(textOf(fields, 'image'), files)
  return await paint(call, fields)
}

function check(rules: Rules, fields: Fields): void {
  const fault = findFault(rules, fields)
  if (fault) throw invalid(sentence(fault))
  if (fields.image_size !== undefined && fields.model !== 'nano-banana-2') {
    throw invalid('Invalid image size: image_size is supported by nano-banana-2 only')
  }
}

/** "Array of image URLs or base64 strings": a data URL is neither of the two. */
async function checkImage(image: unknown): Promise<void> {
  if (typeof image !== 'string') throw invalid('Invalid image: a URL or a base64 string is expected')
  if (isWebAddress(image)) return
  const bytes = decodeBase64(image)
  if (!bytes || !(await lookAt(bytes))) throw invalid('Invalid image: neither a URL nor a base64 string of an image')
}

/** "Source image file or URL": one of the two, and one of it. */
async function checkEditImage(address: string | null, files: readonly FormPart[]): Promise<void> {
  const [file, ...more] = files
  if (more.length > 0 || (file && address !== null)) throw invalid('Invalid image: exactly one image is expected')
  if (!file) {
    if (address === null) throw invalid("Missing required parameter 'image'")
    if (!isWebAddress(address)) throw invalid('Invalid image: a file or a URL is expected')
    return
  }
  if (file.name !== 'image') throw invalid(`Unknown parameter '${file.name}'`)
  const look = await lookAt(file.bytes)
  if (!look || look.type !== file.contentType)
    throw invalid('Invalid image: the file is not the image it is said to be')
}

/** The one sample of an error says "Invalid aspect ratio": so are the others worded. */
function sentence(fault: Fault): string {
  const name = fault.field.replaceAll('_', ' ')
  switch (fault.why) {
    case 'unknown':
      return `Unknown parameter '${fault.field}'`
    case 'missing':
      return `Missing required parameter '${fault.field}'`
    default:
      return `Invalid ${name}`
  }
}

const errorReply = (status: number, message: string, code: string, type = 'invalid_request_error'): Reply =>
  json(status, { error: { message, type, code } })

const invalid = (message: string): Refused => new Refused(message, errorReply(400, message, 'invalid_parameter'))

const words: FailureWords = {
  unauthorized: () => errorReply(401, 'Invalid API key', 'invalid_api_key'),
  // Nothing is documented of a wait: it is told nowhere.
  rateLimited: () =>
    errorReply(429, 'Rate limit exceeded, please try again later', 'rate_limit_exceeded', 'rate_limit_error'),
  quotaExhausted: () => errorReply(429, 'Insufficient credits', 'insufficient_quota', 'insufficient_quota'),
  serverError: status => errorReply(status, 'Image generation failed', 'internal_error', 'server_error'),
  refusal: () => errorReply(400, 'Your prompt was rejected by the content policy', 'content_policy_violation'),
}

async function paint(call: Call, fields: Fields): Promise<Reply> {
  const answer = call.take()
  const failure = failureOf(answer, words)
  if (failure) return failure
  const tier =
    fields.model === 'nano-banana-hd'
      ? '4K'
      : fields.image_size === '2K' || fields.image_size === '4K'
        ? fields.image_size
        : '1K'
  const model = fields.model === 'nano-banana' ? flash25 : flash31
  const pixels = pixelsOf(model, textOf(fields, 'aspect_ratio') ?? '1:1', tier)
  const data: object[] = []
  for (let left = countOf(answer, 1); left > 0; left--) {
    if (answer.kind === 'lost-picture') data.push({ url: lostAddress(call) })
    else {
      const picture = await call.studio.paint({ type: 'image/png', ...pixels, ...weightOf(answer) })
      // "Returns URLs instead of base64": unasked, an address.
      const asBase64 = fields.response_format === 'b64_json'
      data.push(asBase64 ? { b64_json: picture.bytes.toString('base64') } : { url: addressOf(call, picture) })
    }
  }
  return json(200, { created: Math.floor(Date.now() / 1000), data })
}
