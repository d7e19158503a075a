/** Google's ways to a token: the JWT grant of service accounts, the exchange of workload identity, and the metadata server of its machines. */
import { createPublicKey, generateKeyPairSync, randomUUID, verify } from 'node:crypto'
import { json, type Reply, type SeenRequest } from './contract.ts'
import { type Fields, isObject } from './fields.ts'

export const scope = 'https://www.googleapis.com/auth/cloud-platform'
const lifetimeSeconds = 3599

export interface TokenOffice {
  /** Whether a bearer token holds: one given out here, or one that the service account has signed itself (https://google.aip.dev/auth/4111). */
  isGood(token: string): boolean
  /** Every token given out or seen so far is worth nothing from now on. */
  revokeAll(): void
  /** Tokens given out so far. */
  readonly given: number
  /** Answers calls for tokens and of the metadata server; null: it is none. */
  serve(request: SeenRequest): Reply | null
}

export interface ServiceAccount {
  readonly type: 'service_account'
  readonly project_id: string
  readonly private_key_id: string
  readonly private_key: string
  readonly client_email: string
  readonly client_id: string
  readonly auth_uri: string
  readonly token_uri: string
  readonly universe_domain: string
}

// One pair of keys serves the whole process: making one takes a tenth of a second.
const keys = generateKeyPairSync('rsa', {
  modulusLength: 2048,
  publicKeyEncoding: { type: 'spki', format: 'pem' },
  privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
})

/** The file of a service account whose tokens come from `tokenUri`. */
export const serviceAccount = (tokenUri: string): ServiceAccount => ({
  type: 'service_account',
  project_id: 'fake-project',
  private_key_id: 'fake-key-1',
  private_key: keys.privateKey,
  client_email: 'plantain@fake-project.iam.gserviceaccount.com',
  client_id: '100000000000000000001',
  auth_uri: 'https://accounts.google.com/o/oauth2/auth',
  token_uri: tokenUri,
  universe_domain: 'googleapis.com',
})

export const workloadAudience =
  '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/fake-pool/providers/fake-provider'
export const workloadSubjectToken = 'fake-subject-token'

export function createTokenOffice(): TokenOffice {
  const good = new Set<string>()
  const revoked = new Set<string>()
  let given = 0
  const give = (more: object = {}): Reply => {
    const token = `ya29.fake-${++given}-${randomUUID()}`
    good.add(token)
    return json(200, { access_token: token, expires_in: lifetimeSeconds, token_type: 'Bearer', ...more })
  }
  return {
    isGood(token) {
      if (revoked.has(token)) return false
      if (selfSignedProblem(token) === null) good.add(token)
      return good.has(token)
    },
    revokeAll() {
      for (const token of good) revoked.add(token)
      good.clear()
    },
    get given() {
      return given
    },
    serve(request) {
      const { method, path } = request
      if (path === '/token') return method === 'POST' ? grant(request, give) : null
      if (path === '/v1/token') return method === 'POST' ? exchange(request, give) : null
      if (path === '/' || path.startsWith('/computeMetadata/')) return metadata(request, give)
      return null
    },
  }
}

type Give = (more?: object) => Reply

const denied = (error: string, description: string) => json(400, { error, error_description: description })

function formOf({ headers, bytes }: SeenRequest): URLSearchParams | null {
  const isForm = /^application\/x-www-form-urlencoded\b/.test(headers['content-type'] ?? '')
  return isForm ? new URLSearchParams(bytes.toString()) : null
}

function grant(request: SeenRequest, give: Give): Reply {
  const form = formOf(request)
  if (form?.get('grant_type') !== 'urn:ietf:params:oauth:grant-type:jwt-bearer') {
    return denied('unsupported_grant_type', `Invalid grant_type: ${form?.get('grant_type')}`)
  }
  const problem = assertionProblem(form.get('assertion') ?? '', `http://${request.headers.host}/token`)
  return problem === null ? give() : denied('invalid_grant', problem)
}

/** What is wrong with a signed claim (RFC 7523 and Google's own bounds); null: nothing. */
function assertionProblem(assertion: string, audience: string): string | null {
  const read = readSigned(assertion)
  if (typeof read === 'string') return read
  // Google's own library says this address whatever the account's file says.
  if (read.aud !== audience && read.aud !== 'https://oauth2.googleapis.com/token') {
    return `Invalid JWT: aud must be ${audience}.`
  }
  return scopeProblem(read.scope)
}

/** A token that no one gave out: with a scope and, as AIP-4111 wants it, then without an audience. */
function selfSignedProblem(token: string): string | null {
  const read = readSigned(token)
  if (typeof read === 'string') return read
  if (read.sub !== read.iss || read.kid !== serviceAccount('').private_key_id) return 'Invalid JWT: not self-signed.'
  return read.aud === undefined ? scopeProblem(read.scope) : 'Invalid JWT: an audience beside a scope.'
}

const scopeProblem = (asked: unknown): string | null =>
  String(asked).split(' ').includes(scope) ? null : 'Invalid OAuth scope or ID token audience provided.'

/** The claims and the key's id; a text: what is wrong with them. */
function readSigned(jwt: string): Fields | string {
  const [header = '', claims = '', signature = '', ...rest] = jwt.split('.')
  if (rest.length > 0 || signature === '') return 'Invalid JWT: must be three parts.'
  const text = Buffer.from(`${header}.${claims}`)
  const signed = verify('RSA-SHA256', text, createPublicKey(keys.publicKey), Buffer.from(signature, 'base64url'))
  if (!signed) return 'Invalid JWT Signature.'
  const [head, body] = [header, claims].map(part => JSON.parse(Buffer.from(part, 'base64url').toString()))
  if (head.alg !== 'RS256') return 'Invalid JWT: alg must be RS256.'
  if (body.iss !== serviceAccount('').client_email) return 'Invalid grant: account not found'
  const { iat, exp } = body
  const nowSeconds = Date.now() / 1000
  const timely = iat <= nowSeconds + 300 && exp > nowSeconds && exp - iat <= 3600
  if (!timely) return 'Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe.'
  return { ...body, kid: head.kid }
}

/** RFC 8693, as Google's security token service takes it: as a form or as JSON. */
function exchange(request: SeenRequest, give: Give): Reply {
  const form = formOf(request)
  const { body } = request
  const asked = (snake: string): unknown => {
    if (form) return form.get(snake)
    const camel = snake.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase())
    return body.kind === 'json' && isObject(body.value) ? body.value[camel] : undefined
  }
  const wanted: Readonly<Record<string, string>> = {
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    audience: workloadAudience,
    subject_token: workloadSubjectToken,
    scope,
  }
  const wrong = Object.entries(wanted).find(([name, value]) => asked(name) !== value)
  if (wrong) return denied('invalid_request', `Invalid value for "${wrong[0]}".`)
  return give({ issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' })
}

/** The flavour is asked for by a header, so that no web page can be led here; and told by one. */
function metadata({ method, path, query, headers }: SeenRequest, give: Give): Reply {
  const flavour = { 'metadata-flavor': 'Google', server: 'Metadata Server for VM' }
  const text = (status: number, value: string): Reply => ({
    status,
    headers: { ...flavour, 'content-type': 'application/text' },
    pieces: [Buffer.from(value)],
  })
  if (method !== 'GET') return text(405, 'Method Not Allowed')
  if (path === '/') return text(200, 'computeMetadata/\n')
  if (headers['metadata-flavor'] !== 'Google') return text(403, 'Missing Metadata-Flavor:Google header.')
  const account = '/computeMetadata/v1/instance/service-accounts/default'
  switch (path.replace(/\/$/, '')) {
    case '/computeMetadata/v1/instance':
      return text(200, 'service-accounts/\n')
    case '/computeMetadata/v1/project/project-id':
      return text(200, 'fake-project')
    case `${account}/email`:
      return text(200, 'default@fake-project.iam.gserviceaccount.com')
    case account:
      return query.get('recursive') === 'true'
        ? withFlavour(
            json(200, { aliases: ['default'], email: 'default@fake-project.iam.gserviceaccount.com', scopes: [scope] }),
          )
        : text(200, 'email\nscopes\ntoken\n')
    case `${account}/token`:
      return withFlavour(give())
    default:
      return text(404, 'Not Found')
  }
}

const withFlavour = (reply: Reply): Reply => ({ ...reply, headers: { ...reply.headers, 'metadata-flavor': 'Google' } })
