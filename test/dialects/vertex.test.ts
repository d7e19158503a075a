/** Vertex AI as an upstream: its addresses, whose words contents are, and Google Cloud's credentials in all their forms. */
import { createVerify, generateKeyPairSync } from 'node:crypto'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import type { UpstreamConfig } from '../../src/config/config.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { ask } from '../helpers/callers.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

const folder = mkdtempSync(join(tmpdir(), 'plantain-vertex-'))
const { privateKey, publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })
const paint = answerWith('answers/tiny-picture.json')
let upstream: ScriptedUpstream
let gateway: TestGateway | undefined

beforeAll(async () => {
  upstream = await startUpstream(paint)
})
afterEach(async () => {
  await gateway?.close()
  upstream.seen.length = 0
  upstream.script = paint
})
afterAll(async () => {
  await upstream.close()
  rmSync(folder, { recursive: true })
})

const project = { dialect: 'vertex', keys: [], project: 'studio-7', location: 'europe-west1' } as const

async function start(upstreamConfig: Partial<UpstreamConfig>): Promise<TestGateway> {
  gateway = await startGateway({ upstream: upstream.url, upstreamConfig: { dialect: 'vertex', ...upstreamConfig } })
  return gateway
}

function fileOf(name: string, content: unknown): string {
  const path = join(folder, name)
  writeFileSync(path, JSON.stringify(content))
  return path
}

const serviceAccount = () =>
  fileOf('account.json', {
    type: 'service_account',
    project_id: 'studio-7',
    private_key_id: 'key-1',
    private_key: privateKey.export({ type: 'pkcs8', format: 'pem' }),
    client_email: 'painter@studio-7.iam.gserviceaccount.com',
    client_id: '1',
  })

test('express mode calls the publisher’s model with the key in its header', async () => {
  const { status } = await ask(await start({ keys: ['express-key'] }), '/v1/images/generations', {
    model: 'nano-banana-2',
    prompt: 'A kite',
  })
  expect(status).toBe(200)
  const [seen] = upstream.seen
  expect(seen?.url).toBe('/v1beta1/publishers/google/models/gemini-3.1-flash-image:generateContent')
  expect(seen?.headers['x-goog-api-key']).toBe('express-key')
})

test('a file in its storage goes up with the type that its name says, which Vertex asks for', async () => {
  const served = await start({ keys: ['express-key'] })
  const image = ['gs://bucket/cat.PNG', 'gs://bucket/dog.v2.jpg']
  const asked = { model: 'nano-banana-2', prompt: 'A kite', image }
  expect((await ask(served, '/v1/images/generations', asked)).status).toBe(200)
  const { parts } = JSON.parse(upstream.seen[0]?.body.toString() ?? '').contents[0]
  expect(parts.slice(1).map(({ fileData }: { fileData: object }) => fileData)).toEqual([
    { fileUri: image[0], mimeType: 'image/png' },
    { fileUri: image[1], mimeType: 'image/jpeg' },
  ])
  for (const name of ['no-type', 'words.pdf']) {
    const { status, json } = await ask(served, '/v1/images/generations', { ...asked, image: [`gs://bucket/${name}`] })
    expect([status, json.error.param]).toEqual([400, 'image[0]'])
  }
  expect(upstream.seen).toHaveLength(1)
})

test('a file with the label of those that have none is one without a label', async () => {
  const served = await start({ keys: ['express-key'] })
  const image = { gcsUri: 'gs://bucket/cat.png', mimeType: 'application/octet-stream' }
  const asked = { instances: { prompt: 'A kite', image } }
  expect((await ask(served, '/v1beta/models/nano-banana-2:predict', asked)).status).toBe(200)
  const { parts } = JSON.parse(upstream.seen[0]?.body.toString() ?? '').contents[0]
  expect(parts[1].fileData).toEqual({ fileUri: image.gcsUri, mimeType: 'image/png' })
})

test('makes the file type that is asked for in its own words: those are passed on', async () => {
  const imageConfig = { imageOutputOptions: { mimeType: 'image/png' } }
  const contents = [{ role: 'user', parts: [{ text: 'A kite' }] }]
  const asked = { contents, generationConfig: { imageConfig } }
  const { status } = await ask(
    await start({}),
    '/v1beta1/publishers/google/models/nano-banana-2:generateContent',
    asked,
  )
  expect([status, JSON.parse(upstream.seen[0]?.body.toString() ?? '')]).toEqual([200, asked])
})

test('a service account signs its own token, which names the project’s model and no key', async () => {
  const served = await start({ ...project, credentialsFile: serviceAccount() })
  expect((await ask(served, '/v1/images/generations', { model: 'nano-banana', prompt: 'A kite' })).status).toBe(200)
  const [seen] = upstream.seen
  expect(seen?.url).toBe(
    '/v1beta1/projects/studio-7/locations/europe-west1/publishers/google/models/gemini-2.5-flash-image:generateContent',
  )
  expect(seen?.headers['x-goog-api-key']).toBeUndefined()
  const [header = '', payload = '', signature = ''] = String(seen?.headers.authorization)
    .replace('Bearer ', '')
    .split('.')
  const verified = createVerify('RSA-SHA256').update(`${header}.${payload}`).verify(publicKey, signature, 'base64url')
  expect(verified).toBe(true)
  expect(JSON.parse(Buffer.from(payload, 'base64url').toString())).toMatchObject({
    iss: 'painter@studio-7.iam.gserviceaccount.com',
    scope: 'https://www.googleapis.com/auth/cloud-platform',
  })
})

test('a workload identity is changed into a token once, and the token is used again', async () => {
  writeFileSync(join(folder, 'subject-token'), 'the-subject')
  const exchanges: string[] = []
  upstream.script = (request, response) => {
    if (request.url !== '/token') return paint(request, response)
    exchanges.push(request.body.toString())
    return json({ access_token: 'federated', token_type: 'Bearer', expires_in: 3600, issued_token_type: 'x' })(
      request,
      response,
    )
  }
  const credentialsFile = fileOf('federation.json', {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/p/providers/q',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${upstream.url}/token`,
    credential_source: { file: join(folder, 'subject-token') },
  })
  const served = await start({ ...project, credentialsFile })
  for (let call = 0; call < 2; call++) {
    expect((await ask(served, '/v1/images/generations', { prompt: 'A kite' })).status).toBe(200)
  }
  expect(exchanges).toHaveLength(1)
  expect(exchanges[0]).toContain('the-subject')
  const calls = upstream.seen.filter(({ url }) => url !== '/token')
  expect(calls.map(({ headers }) => headers.authorization)).toEqual(['Bearer federated', 'Bearer federated'])
})

test('without a file the machine’s metadata server gives the token', async () => {
  upstream.script = (request, response) => {
    if (!request.url.startsWith('/computeMetadata')) return paint(request, response)
    response.setHeader('metadata-flavor', 'Google')
    return request.url.includes('/token')
      ? json({ access_token: 'of-the-machine', token_type: 'Bearer', expires_in: 3600 })(request, response)
      : json('studio-7')(request, response)
  }
  const before = { ...process.env }
  Object.assign(process.env, { GCE_METADATA_HOST: new URL(upstream.url).host, HOME: folder, CLOUDSDK_CONFIG: folder })
  delete process.env.GOOGLE_APPLICATION_CREDENTIALS
  try {
    expect((await ask(await start(project), '/v1/images/generations', { prompt: 'A kite' })).status).toBe(200)
  } finally {
    process.env = before
  }
  const call = upstream.seen.find(({ url }) => url.includes('generateContent'))
  expect(call?.headers.authorization).toBe('Bearer of-the-machine')
})

test('credentials that can’t be had are the operator’s fault, and cost no call', async () => {
  const served = await start({ ...project, credentialsFile: join(folder, 'absent.json') })
  const asked = await ask(served, '/v1/images/generations', { prompt: 'A kite' })
  expect(asked.status).toBe(502)
  expect(asked.headers.get('x-should-retry')).toBe('false')
  expect(upstream.seen).toHaveLength(0)
  expect(JSON.stringify(served.log)).not.toContain(folder)
})

test('a token that the upstream repeats does not reach the caller', async () => {
  upstream.script = (request, response) => {
    const token = String(request.headers.authorization).replace('Bearer ', '')
    return json({ error: { code: 400, status: 'INVALID_ARGUMENT', message: `bad ${token}` } }, 400)(request, response)
  }
  const served = await start({ ...project, credentialsFile: serviceAccount() })
  const { text } = await ask(served, '/v1beta/models/nano-banana:generateContent', { contents: [{ parts: [] }] })
  expect(text).toContain('[redacted]')
})

test.each([
  [
    '{"contents":[{"parts":[{"text":"a"}]},{"role":"model","parts":[]},{"role":null,"parts":[]}]}',
    ['user', 'model', 'user'],
  ],
  ['{"contents":{"parts":[{"text":"a"}]}}', 'user'],
  ['{"contents":[]}', []],
])('contents without a role are the user’s: %s', async (body, roles) => {
  await ask(await start({ keys: ['k'] }), '/v1beta/models/nano-banana:generateContent', body)
  const { contents } = JSON.parse(String(upstream.seen[0]?.body))
  expect(Array.isArray(contents) ? contents.map(({ role }: { role: string }) => role) : contents.role).toEqual(roles)
})

test('thousands of contents without a role hold nobody up', async () => {
  const contents = Array.from({ length: 7_000 }, () => ({ parts: [{ text: 'a' }] }))
  await ask(await start({ keys: ['k'] }), '/v1beta/models/nano-banana:generateContent', { contents })
  const sent = JSON.parse(String(upstream.seen[0]?.body))
  expect(sent.contents).toEqual(contents.map(content => ({ role: 'user', ...content })))
})

test('a body with every role is passed on byte for byte', async () => {
  const body = '{ "contents" : [ {"role":"user", "parts":[{"text":"a\\u003d"}]} ] }'
  await ask(await start({ keys: ['k'] }), '/v1beta/models/nano-banana:generateContent', body)
  expect(String(upstream.seen[0]?.body)).toBe(body)
})
