/** Google Cloud's credentials for calls of a project: google-auth-library's only door. It is loaded with the first call. */
import { readFile } from 'node:fs/promises'
import { inspect } from 'node:util'
import type { AuthClient } from 'google-auth-library'
import { GatewayError } from '../images/error.ts'
import type { Credentials, Headers } from './credentials.ts'
import { holdsSecret, withoutSecrets } from './echoes.ts'

export interface GoogleCredentialsParams {
  /** A service account's key or a federation's configuration; absent: what the environment and the machine offer (ADC). */
  readonly credentialsFile: string | undefined
  /** The upstream's base address. */
  readonly url: string
}

// https://cloud.google.com/vertex-ai/docs/authentication
const scopes = ['https://www.googleapis.com/auth/cloud-platform']
const longestMs = 15_000

type Library = typeof import('google-auth-library')

/**
 * Tokens are fetched, kept and renewed by the library; a service account's are signed here, without asking anybody.
 * `headers` throws GatewayError `upstream-credential` where none is to be had.
 */
export function createGoogleCredentials({ credentialsFile, url }: GoogleCredentialsParams): Credentials {
  let client: Promise<AuthClient> | null = null
  // An answer may repeat what its call carried; of a token that was renewed meanwhile too.
  const tokens: string[] = []

  async function openClient(): Promise<AuthClient> {
    const library = await import('google-auth-library')
    if (credentialsFile !== undefined) return clientOfFile(credentialsFile, library)
    const auth = new library.GoogleAuth({ scopes })
    auth.useJWTAccessWithScope = true
    return auth.getClient()
  }

  async function fetchHeaders(): Promise<Headers> {
    client ??= openClient()
    const fetched = Object.fromEntries(await (await client).getRequestHeaders(url))
    remember(fetched.authorization)
    return fetched
  }

  function remember(authorization = ''): void {
    const token = authorization.replace(/^Bearer /, '')
    if (token === '' || tokens.includes(token)) return
    tokens.unshift(token)
    tokens.length = Math.min(tokens.length, 3)
  }

  return {
    async headers() {
      try {
        return await within(longestMs, fetchHeaders())
      } catch (cause) {
        // What failed may be mended, a file above all: the next call begins anew.
        client = null
        const message = 'The gateway could not get its credentials for the upstream. Its operator has to mend that.'
        throw new GatewayError('upstream-credential', message, { notSent: true, cause })
      }
    },
    masked: () => ({ authorization: 'Bearer ***' }),
    scrub: text => withoutSecrets(text, tokens),
    contains: bytes => holdsSecret(bytes, tokens),
    ...{ toJSON: () => '[redacted]', [inspect.custom]: () => '[redacted]' },
  }
}

/** @throws Error where the file holds no credentials of a kind that a server has. */
async function clientOfFile(path: string, { JWT, ExternalAccountClient }: Library): Promise<AuthClient> {
  const file = JSON.parse(await readFile(path, 'utf8'))
  if (file.type !== 'service_account') {
    const client = ExternalAccountClient.fromJSON({ ...file, scopes })
    if (!client) throw new Error(`${String(file.type)} is no service account and no workload identity federation`)
    return client
  }
  const { client_email: email, private_key: key, private_key_id: keyId } = file
  const client = new JWT({ email, key, keyId, scopes })
  // https://google.aip.dev/auth/4111: a JWT that the service account signs itself is taken as a token.
  client.useJWTAccessWithScope = true
  return client
}

async function within<Value>(ms: number, work: Promise<Value>): Promise<Value> {
  let timer: NodeJS.Timeout | undefined
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`nothing came within ${ms} ms`)), ms)
  })
  try {
    return await Promise.race([work, timeout])
  } finally {
    clearTimeout(timer)
  }
}
