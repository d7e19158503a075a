/** Azure OpenAI: OpenAI's images behind deployments, with `api-version` and `api-key`; and its `/openai/v1` surface, which needs no version. */
import { type Call, type FakeUpstream, json, Refused, type Reply } from './contract.ts'
import { startFake } from './fake.ts'
import { openaiWords } from './openai.ts'
import type { FailureWords } from './openai-errors.ts'
import { type ImagesSurface, type Operation, serveImages } from './openai-images.ts'
import { type OpenAIModel, openaiModels } from './openai-models.ts'

const key = 'azure-good-key'
/** Names of deployments are the customer's own: none is the name of its model. */
export const azureDeployments: Readonly<Record<string, string>> = {
  'pictures-2': 'gpt-image-2',
  'pictures-1-5': 'gpt-image-1.5',
}
// The first version that knows GPT image models.
const firstVersion = '2025-04-01'

/** `v1`: `baseUrl` is that of the v1 surface. Both are always served. */
export const startAzure = (form: 'deployments' | 'v1' = 'deployments'): Promise<FakeUpstream> =>
  startFake({
    name: `azure, ${form}`,
    protocol: 'openai',
    dialect: 'azure',
    key,
    basePath: form === 'v1' ? '/openai/v1' : '',
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
  const { method, path, headers, query } = call.request
  const [, deployment, operation] =
    /^\/openai\/(?:deployments\/([^/]+)|v1)\/images\/(generations|edits)$/.exec(path) ?? []
  if (method !== 'POST' || operation === undefined) throw refuse(resourceNotFound)
  // A deployment's bearer would be a token of Entra ID, of which the fake has none; the v1 surface takes the key either way.
  const bearer = deployment === undefined ? `Bearer ${key}` : null
  if (headers['api-key'] !== key && (bearer === null || headers.authorization !== bearer)) throw refuse(wrongKey)
  const surface = { operation: operation as Operation, findModel, jsonEdits: false, words: azureWords, headers: {} }
  if (deployment === undefined) return await onV1(call, surface)

  const version = query.get('api-version')
  if (version === null) throw refuse(resourceNotFound)
  const [, day] = /^(\d{4}-\d\d-\d\d)(-preview)?$/.exec(version) ?? []
  if (day === undefined || day < firstVersion) throw refuse(versionNotSupported)
  const model = findModel(decodeURIComponent(deployment))
  if (!model) throw refuse(deploymentNotFound)
  return await serveImages(call, { ...surface, model })
}

async function onV1(call: Call, surface: Omit<ImagesSurface, 'model'>): Promise<Reply> {
  const version = call.request.query.get('api-version')
  if (version !== null && version !== 'preview') throw refuse(versionNotSupported)
  const { body } = call.request
  const name =
    body.kind === 'json'
      ? (body.value as { model?: unknown } | null)?.model
      : body.kind === 'form' && body.parts.find(part => part.name === 'model')?.bytes.toString()
  if (typeof name === 'string' && !findModel(name)) throw refuse(deploymentNotFound)
  return await serveImages(call, { ...surface, model: null })
}

function findModel(deployment: string): OpenAIModel | null {
  return openaiModels.get(azureDeployments[deployment] ?? '') ?? null
}

interface AzureError {
  readonly code: string
  readonly message: string
}

/** What Azure itself says has a code and a message; what the model behind it says is in OpenAI's form. */
const azureReply = (status: number, error: AzureError, headers: Readonly<Record<string, string>> = {}): Reply =>
  json(status, { error }, headers)

const refuse = ([status, error]: readonly [number, AzureError]) => new Refused(error.message, azureReply(status, error))

const resourceNotFound = [404, { code: '404', message: 'Resource not found' }] as const
const versionNotSupported = [400, { code: 'BadRequest', message: 'API version not supported' }] as const
const deploymentNotFound = [
  404,
  {
    code: 'DeploymentNotFound',
    message:
      'The API deployment for this resource does not exist. If you created the deployment within the last 5 minutes, please wait a moment and try again.',
  },
] as const
const wrongKey = [
  401,
  {
    code: '401',
    message:
      'Access denied due to invalid subscription key or wrong API endpoint. Make sure to provide a valid key for an active subscription and use a correct regional API endpoint for your resource.',
  },
] as const

const azureWords: FailureWords = {
  unauthorized: () => azureReply(...wrongKey),
  rateLimited(waitSeconds) {
    const wait = waitSeconds === null ? '' : ` Please retry after ${Math.ceil(waitSeconds)} seconds.`
    const headers: Record<string, string> = waitSeconds === null ? {} : { 'retry-after': `${Math.ceil(waitSeconds)}` }
    const message = `Requests to the ImageGenerations_Create Operation under Azure OpenAI API have exceeded call rate limit of your current OpenAI S0 pricing tier.${wait}`
    return azureReply(429, { code: '429', message }, headers)
  },
  quotaExhausted: openaiWords.quotaExhausted,
  serverError: status =>
    status === 500
      ? azureReply(500, { code: 'InternalServerError', message: 'Internal server error' })
      : azureReply(503, {
          code: 'ServiceUnavailable',
          message: 'The service is temporarily unable to process your request.',
        }),
  // Azure's guide shows `contentFilter`; GPT image models' own refusals come through as they are.
  refusal(stage, reason) {
    if (reason === 'moderation_blocked') return openaiWords.refusal(stage, null)
    const message =
      stage === 'output'
        ? 'Generated image was filtered as a result of our safety system.'
        : 'Your task failed as a result of our safety system.'
    return json(400, { created: Math.floor(Date.now() / 1000), error: { code: 'contentFilter', message } })
  },
}
