/** OpenAI: images by generation and by edit, and the list of models. */
import { type Call, type FakeUpstream, json, Refused, type Reply } from './contract.ts'
import { startFake } from './fake.ts'
import { type FailureWords, modelNotFound, openaiReply, refuse } from './openai-errors.ts'
import { type Operation, serveImages, serverErrorMessage, unknownUrl } from './openai-images.ts'
import { openaiModels } from './openai-models.ts'

const key = 'sk-openai-good-key'

export const startOpenAI = (): Promise<FakeUpstream> =>
  startFake({
    name: 'openai',
    protocol: 'openai',
    dialect: 'openai',
    key,
    basePath: '/v1',
    answers: [
      'ok',
      'drafts',
      'refusal',
      'rate-limited',
      'quota-exhausted',
      'unauthorized',
      'server-error',
      'cut',
      'error-in-stream',
      'slow',
      'empty',
    ],
    serve,
  })

async function serve(call: Call): Promise<Reply> {
  const { method, path, headers } = call.request
  checkKey(headers.authorization)
  const [, operation] = /^\/v1\/images\/(generations|edits)$/.exec(path) ?? []
  if (operation !== undefined && method === 'POST') {
    return await serveImages(call, {
      operation: operation as Operation,
      model: null,
      findModel: name => openaiModels.get(name) ?? null,
      jsonEdits: true,
      words: openaiWords,
      headers: answerHeaders(),
    })
  }
  const [, model] = /^\/v1\/models(?:\/([^/]+))?$/.exec(path) ?? []
  if (method === 'GET' && path.startsWith('/v1/models')) return models(model && decodeURIComponent(model))
  // `/v1/images/variations` is among them: retired.
  throw new Refused(`Invalid URL (${method} ${path})`, unknownUrl(method, path))
}

function checkKey(authorization: string | undefined): void {
  if (authorization === `Bearer ${key}`) return
  if (!authorization?.startsWith('Bearer ')) {
    throw refuse(401, {
      message:
        "You didn't provide an API key. You need to provide your API key in an Authorization header using Bearer auth (i.e. Authorization: Bearer YOUR_KEY).",
    })
  }
  throw new Refused('A wrong key.', openaiWords.unauthorized())
}

const modelObject = (id: string) => ({ id, object: 'model', created: 1_776_729_600, owned_by: 'system' })

function models(id: string | undefined): Reply {
  if (id === undefined) return json(200, { object: 'list', data: [...openaiModels.keys()].map(modelObject) })
  if (!openaiModels.has(id)) throw modelNotFound(id)
  return json(200, modelObject(id))
}

let requestNumber = 0

const answerHeaders = () => ({
  'x-request-id': `req_${(++requestNumber).toString(16).padStart(32, '0')}`,
  'openai-processing-ms': '21042',
  'openai-version': '2020-10-01',
  'x-ratelimit-limit-requests': '500',
  'x-ratelimit-remaining-requests': '499',
  'x-ratelimit-reset-requests': '120ms',
})

/** In OpenAI's words: also for vendors that pass OpenAI's own on. */
export const openaiWords: FailureWords = {
  unauthorized: () =>
    openaiReply(401, {
      message:
        'Incorrect API key provided: sk-wrong*****key. You can find your API key at https://platform.openai.com/account/api-keys.',
      code: 'invalid_api_key',
    }),
  rateLimited(waitSeconds) {
    const wait = waitSeconds === null ? '' : ` Please try again in ${waitSeconds}s.`
    const message = `Rate limit reached for gpt-image-2 in organization org-fake on images per min: Limit 5, Used 5, Requested 1.${wait}`
    const headers: Record<string, string> =
      waitSeconds === null
        ? {}
        : { 'retry-after': `${Math.ceil(waitSeconds)}`, 'retry-after-ms': `${Math.ceil(waitSeconds * 1000)}` }
    return openaiReply(
      429,
      { message, type: 'images', code: 'rate_limit_exceeded' },
      { ...answerHeaders(), ...headers },
    )
  },
  quotaExhausted: () =>
    openaiReply(429, {
      message:
        'You exceeded your current quota, please check your plan and billing details. For more information on this error, read the docs: https://platform.openai.com/docs/guides/error-codes/api-errors.',
      type: 'insufficient_quota',
      code: 'insufficient_quota',
    }),
  serverError: status =>
    openaiReply(status, {
      message: status === 500 ? serverErrorMessage : 'The engine is currently overloaded, please try again later',
      type: 'server_error',
    }),
  refusal(stage, reason) {
    const violations = reason ?? 'sexual'
    return openaiReply(400, {
      message: `Your request was rejected by the safety system. If you believe this is an error, contact us at help.openai.com and include the request ID req_fake. safety_violations=[${violations}].`,
      type: 'image_generation_user_error',
      code: 'moderation_blocked',
      ...(stage && { moderation_details: { moderation_stage: stage, categories: [violations] } }),
    })
  },
}
