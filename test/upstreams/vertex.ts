/** Vertex AI: Google's models by express key, or below a project and a location with OAuth; stricter than the Developer API, and with fields of its own. */
import { detail, GoogleError, invalid, keyInvalid, keyMissing, routeMissing } from '../../src/sandbox/errors.ts'
import { countTokensRequest, type generateContentRequest } from '../../src/sandbox/fields.ts'
import type { SandboxModel } from '../../src/sandbox/model.ts'
import { type Read, readMessage } from '../../src/sandbox/proto-json.ts'
import type { Call, FakeUpstream, Reply } from './contract.ts'
import { startFake } from './fake.ts'
import {
  bodyOf,
  checked,
  checkRoles,
  checkSpellings,
  inList,
  refused,
  serveCount,
  serveGenerate,
  withFiles,
} from './gemini-call.ts'
import { flash25, flash31, lite31, nano21, pro3 } from './gemini-models.ts'
import {
  createTokenOffice,
  type ServiceAccount,
  serviceAccount,
  type TokenOffice,
  workloadAudience,
} from './google-tokens.ts'
import { vertexRequest } from './vertex-fields.ts'

const expressKey = 'AQ.vertex-express-good-key'
export const vertexProject = 'fake-project'
export const vertexLocation = 'europe-west4'

export interface FakeVertex extends FakeUpstream {
  readonly tokens: TokenOffice
  /** A service account's file: its tokens come from this server. */
  readonly serviceAccount: ServiceAccount
  /** `host:port`, for GCE_METADATA_HOST. */
  readonly metadataHost: string
  /** A workload identity's file, its subject token in a file of the test's own making (`workloadSubjectToken`). */
  workloadIdentity(subjectTokenFile: string): object
}

/** `project`: no key; the other way in is by OAuth. Both ways are always served. */
export async function startVertex(way: 'express' | 'project' = 'express'): Promise<FakeVertex> {
  const tokens = createTokenOffice()
  const fake = await startFake({
    name: `vertex, ${way}`,
    protocol: 'gemini',
    dialect: 'vertex',
    key: way === 'express' ? expressKey : '',
    basePath: '',
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
      'text-only',
      'empty',
    ],
    serve: call => serve(call, tokens),
    aside: request => tokens.serve(request),
  })
  return Object.assign(fake, {
    tokens,
    serviceAccount: serviceAccount(`${fake.baseUrl}/token`),
    metadataHost: fake.baseUrl.slice('http://'.length),
    workloadIdentity: (file: string) => ({
      type: 'external_account',
      audience: workloadAudience,
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${fake.baseUrl}/v1/token`,
      credential_source: { file },
    }),
  })
}

/** 3 pictures on 2.5, 14 on the others; at most 7 MB each. */
const models: readonly SandboxModel[] = [nano21, flash31, pro3, lite31, { ...flash25, maxReferences: 3 }]
const mostPictureBytes = 7 * 1000 * 1000

interface Route {
  readonly express: boolean
  readonly project: string
  readonly location: string
  readonly model: string
  readonly action: string
}

function readRoute(method: string, path: string): Route | null {
  const match =
    /^\/(?:v1|v1beta1)\/(?:projects\/([^/]+)\/locations\/([^/]+)\/)?publishers\/google\/models\/([^/:]+):(\w+)$/.exec(
      decodeURIComponent(path),
    )
  if (method !== 'POST' || !match) return null
  const [, project, location, model = '', action = ''] = match
  return { express: project === undefined, project: project ?? '', location: location ?? '', model, action }
}

async function serve(call: Call, tokens: TokenOffice): Promise<Reply | null> {
  const { method, path, query } = call.request
  const route = readRoute(method, path)
  if (!route) throw refused(routeMissing())
  const sse = query.get('alt') === 'sse'
  const answer = () => take(call, route, sse, tokens)
  return await (route.action === 'streamGenerateContent' && !sse ? inList(answer) : answer())
}

async function take(call: Call, route: Route, sse: boolean, tokens: TokenOffice): Promise<Reply | null> {
  const { express, action } = route
  const wrong = express ? keyProblem(call) : tokenProblem(call, route, tokens)
  if (wrong) throw refused(wrong)
  const model = models.find(({ id }) => id === route.model)
  if (!model) throw refused(modelMissing(route))
  const body = bodyOf(call)
  checkSpellings(body)
  switch (action) {
    case 'countTokens': {
      const request = checked(() => readMessage(countTokensRequest, body))
      checkRoles(request)
      return serveCount(model, request)
    }
    case 'generateContent':
    case 'streamGenerateContent': {
      const read = checked(() => readMessage(vertexRequest, body))
      checkRoles(read)
      checkPictures(read)
      const mediaType = checked(() => outputType(read))
      const request = withFiles(forSandbox(read), { problem: fileProblem, mimeTypeRequired: true })
      const form = action === 'generateContent' ? 'none' : sse ? 'sse' : 'array'
      const unauthorized = () => (express ? keyInvalid() : tokenInvalid())
      return await serveGenerate(call, { model, form, request, unauthorized, ...(mediaType && { mediaType }) })
    }
    default:
      throw refused(routeMissing())
  }
}

type VertexRequest = Read<typeof vertexRequest>

/** What the sandbox's own reader has rules for; Vertex AI's harm categories are more than it knows, and change nothing. */
function forSandbox({ safetySettings: _, ...request }: VertexRequest): Read<typeof generateContentRequest> {
  return request
}

function checkPictures({ contents = [] }: VertexRequest): void {
  for (const { parts = [] } of contents) {
    for (const { inlineData } of parts) {
      if ((inlineData?.data?.length ?? 0) <= mostPictureBytes) continue
      throw refused(invalid('Unable to submit request because the inline image is larger than 7 MB.'))
    }
  }
}

function outputType({ generationConfig }: VertexRequest): SandboxModel['mediaType'] | null {
  const { mimeType, compressionQuality } = generationConfig?.imageConfig?.imageOutputOptions ?? {}
  if (mimeType !== undefined && mimeType !== 'image/png' && mimeType !== 'image/jpeg') {
    throw invalid(`Unsupported output mime type: ${mimeType}. Supported are image/png and image/jpeg.`)
  }
  if (compressionQuality !== undefined) {
    if (mimeType !== 'image/jpeg') throw invalid('compressionQuality is only supported for image/jpeg.')
    if (compressionQuality < 0 || compressionQuality > 100)
      throw invalid('compressionQuality must be in the range [0, 100].')
  }
  return mimeType ?? null
}

/** Cloud Storage and public addresses; files of the Developer API are not Vertex AI's. */
function fileProblem(uri: string): string | null {
  const readable = /^gs:\/\/[^/]+\/.+/.test(uri) || (/^https?:\/\//.test(uri) && URL.canParse(uri))
  if (readable && !/generativelanguage\.googleapis\.com/.test(uri)) return null
  return `Invalid file URI: ${uri}`
}

function keyProblem({ request }: Call): GoogleError | null {
  const { headers, query } = request
  const given = headers['x-goog-api-key'] ?? query.get('key')
  if (given === null) return headers.authorization ? tokenInvalid() : keyMissing()
  return given === expressKey ? null : keyInvalid()
}

function tokenProblem({ request }: Call, { project, location }: Route, tokens: TokenOffice): GoogleError | null {
  const { headers, query } = request
  if (headers['x-goog-api-key'] !== undefined || query.has('key')) return keysNotSupported()
  const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? []
  if (token === undefined || !tokens.isGood(token)) return tokenInvalid()
  if (project === vertexProject && (location === vertexLocation || location === 'global')) return null
  return new GoogleError(
    403,
    'PERMISSION_DENIED',
    `Permission 'aiplatform.endpoints.predict' denied on resource '//aiplatform.googleapis.com/projects/${project}/locations/${location}' (or it may not exist).`,
  )
}

const errorInfo = (reason: string) =>
  detail('ErrorInfo', { reason, domain: 'googleapis.com', metadata: { service: 'aiplatform.googleapis.com' } })

const keysNotSupported = () =>
  new GoogleError(
    401,
    'UNAUTHENTICATED',
    'API keys are not supported by this API. Expected OAuth2 access token or other authentication credentials that assert a principal. See https://cloud.google.com/docs/authentication',
    [errorInfo('CREDENTIALS_MISSING')],
  )

const tokenInvalid = () =>
  new GoogleError(
    401,
    'UNAUTHENTICATED',
    'Request had invalid authentication credentials. Expected OAuth 2 access token, login cookie or other valid authentication credential. See https://developers.google.com/identity/sign-in/web/devconsole-project.',
    [errorInfo('ACCESS_TOKEN_TYPE_UNSUPPORTED')],
  )

function modelMissing({ express, project, location, model }: Route): GoogleError {
  const place = express ? '' : `projects/${project}/locations/${location}/`
  return new GoogleError(
    404,
    'NOT_FOUND',
    `Publisher Model \`${place}publishers/google/models/${model}\` was not found or your project does not have access to it. Please ensure you are using a valid model version. For more information, see: https://cloud.google.com/vertex-ai/generative-ai/docs/learn/model-versions`,
  )
}
