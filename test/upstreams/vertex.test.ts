/** The fake Vertex AI: both ways in, what it alone takes, and what it alone refuses. */
import { createSign, generateKeyPairSync } from 'node:crypto'
import { JWT } from 'google-auth-library'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { see } from '../helpers/pictures.ts'
import { type KeyHeaders, postJson, rootOf, told } from './ask.ts'
import { scope, workloadAudience, workloadSubjectToken } from './google-tokens.ts'
import { type FakeVertex, startVertex, vertexLocation, vertexProject } from './vertex.ts'

let fake: FakeVertex
beforeAll(async () => {
  fake = await startVertex()
})
afterAll(() => fake.close())
beforeEach(() => fake.reset())

const model = 'gemini-3.1-flash-image'
const contents = [{ role: 'user', parts: [{ text: 'a hill' }] }]
const projectPath = `/v1/projects/${vertexProject}/locations/${vertexLocation}/publishers/google/models/${model}:generateContent`
const ask = (body: object, action = 'generateContent', path = `/v1/publishers/google/models/${model}`) =>
  postJson(fake, `${path}:${action}`, { contents, ...body }, { 'x-goog-api-key': fake.key })
const askProject = (headers: KeyHeaders, path = projectPath) => postJson(fake, path, { contents }, headers)

interface Claims {
  readonly [claim: string]: unknown
}

function assertion(claims: Claims = {}, key = fake.serviceAccount.private_key): string {
  const iat = Math.floor(Date.now() / 1000)
  const { client_email: iss, token_uri: aud } = fake.serviceAccount
  const encode = (part: object) => Buffer.from(JSON.stringify(part)).toString('base64url')
  const signed = `${encode({ alg: 'RS256', typ: 'JWT', kid: fake.serviceAccount.private_key_id })}.${encode({ iss, aud, iat, exp: iat + 3600, scope, ...claims })}`
  return `${signed}.${createSign('RSA-SHA256').update(signed).sign(key, 'base64url')}`
}

const grant = async (jwt: string) =>
  told(
    await fetch(fake.serviceAccount.token_uri, {
      method: 'POST',
      body: new URLSearchParams({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: jwt }),
    }),
  )

describe('by express key', () => {
  test('both versions, streams and counts', async () => {
    for (const version of ['v1', 'v1beta1']) {
      expect((await ask({}, 'generateContent', `/${version}/publishers/google/models/${model}`)).status).toBe(200)
    }
    expect((await ask({}, 'streamGenerateContent?alt=sse')).text).toMatch(/^data: \{/)
    expect((await ask({}, 'streamGenerateContent')).json.at(-1).candidates[0].finishReason).toBe('STOP')
    expect((await ask({}, 'countTokens')).json.totalTokens).toBe(2)
  })

  test("a wrong key is 400, a path of Google's other API is none", async () => {
    const path = `/v1/publishers/google/models/${model}:generateContent`
    expect((await postJson(fake, path, { contents }, { 'x-goog-api-key': 'x' })).status).toBe(400)
    expect((await postJson(fake, path, { contents }, {})).status).toBe(403)
    expect((await ask({}, 'generateContent', `/v1beta/models/${model}`)).status).toBe(404)
    const missing = await ask({}, 'generateContent', '/v1/publishers/google/models/gemini-x')
    expect(missing.json.error.message).toContain('Publisher Model `publishers/google/models/gemini-x` was not found')
  })
})

describe('by OAuth', () => {
  test("a service account's token opens its project", async () => {
    const { json } = await grant(assertion())
    expect(json).toEqual({ access_token: expect.any(String), expires_in: 3599, token_type: 'Bearer' })
    const authorization = `Bearer ${json.access_token}`
    expect((await askProject({ authorization })).status).toBe(200)
    expect((await askProject({ authorization }, projectPath.replace(vertexLocation, 'global'))).status).toBe(200)
    expect((await askProject({ authorization }, projectPath.replace(vertexProject, 'other'))).json.error.status).toBe(
      'PERMISSION_DENIED',
    )
    expect(fake.requests).toHaveLength(3)
    expect(fake.sideCalls).toHaveLength(1)
    fake.tokens.revokeAll()
    expect((await askProject({ authorization })).status).toBe(401)
  })

  test.each<readonly [string, () => string, string]>([
    ['another audience', () => assertion({ aud: 'https://example.com/token' }), 'aud'],
    ['an hour and more', () => assertion({ exp: Math.floor(Date.now() / 1000) + 7200 }), 'short-lived'],
    ['the past', () => assertion({ iat: 1, exp: 2 }), 'short-lived'],
    ['no scope', () => assertion({ scope: undefined }), 'scope'],
    ['nobody', () => assertion({ iss: 'nobody@example.com' }), 'account'],
    [
      'another key',
      () =>
        assertion(
          {},
          generateKeyPairSync('rsa', { modulusLength: 2048 })
            .privateKey.export({ type: 'pkcs8', format: 'pem' })
            .toString(),
        ),
      'Signature',
    ],
  ])('a claim for %s gets no token', async (_, jwt, why) => {
    const { status, json } = await grant(jwt())
    expect([status, ['invalid_grant']]).toEqual([400, [json.error]])
    expect(json.error_description).toContain(why)
  })

  test('a token that the service account signs itself opens it too, until it is revoked', async () => {
    const ofItself = { sub: fake.serviceAccount.client_email, aud: undefined }
    const authorization = `Bearer ${assertion(ofItself)}`
    expect((await askProject({ authorization })).status).toBe(200)
    for (const claims of [{ ...ofItself, scope: 'email' }, { ...ofItself, sub: 'x' }, { sub: ofItself.sub }]) {
      expect((await askProject({ authorization: `Bearer ${assertion(claims)}` })).status).toBe(401)
    }
    fake.tokens.revokeAll()
    expect((await askProject({ authorization })).status).toBe(401)
  })

  test("Google's own library is understood", async () => {
    const { client_email: email, private_key: key, private_key_id: keyId } = fake.serviceAccount
    const client = new JWT({ email, key, keyId, scopes: [scope] })
    client.useJWTAccessWithScope = true
    const headers = await client.getRequestHeaders(fake.baseUrl)
    const authorization = headers.get('authorization') ?? ''
    expect((await askProject({ authorization })).status).toBe(200)
  })

  test('keys open no project', async () => {
    for (const headers of [{ 'x-goog-api-key': fake.key }, { authorization: 'Bearer x' }, {}]) {
      expect((await askProject(headers)).json.error.status).toBe('UNAUTHENTICATED')
    }
  })

  test('the metadata server gives tokens to those who name its flavour', async () => {
    const url = `http://${fake.metadataHost}/computeMetadata/v1/instance/service-accounts/default/token`
    expect((await fetch(url)).status).toBe(403)
    const { headers, json } = await told(await fetch(url, { headers: { 'metadata-flavor': 'Google' } }))
    expect(headers.get('metadata-flavor')).toBe('Google')
    expect((await askProject({ authorization: `Bearer ${json.access_token}` })).status).toBe(200)
  })

  test('workload identity changes its token for one of Google', async () => {
    const exchange = (subject_token: string) =>
      fetch(`${rootOf(fake)}/v1/token`, {
        method: 'POST',
        body: new URLSearchParams({
          grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
          requested_token_type: 'urn:ietf:params:oauth:token-type:access_token',
          subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
          audience: workloadAudience,
          scope,
          subject_token,
        }),
      })
    expect((await exchange('x')).status).toBe(400)
    const { json } = await told(await exchange(workloadSubjectToken))
    expect((await askProject({ authorization: `Bearer ${json.access_token}` })).status).toBe(200)
  })
})

describe('fields', () => {
  const withConfig = (imageConfig: object) => ({ generationConfig: { imageConfig } })

  test('what Vertex AI alone has is taken, and done', async () => {
    const imageConfig = { personGeneration: 'ALLOW_ADULT', imageOutputOptions: { mimeType: 'image/png' } }
    const { status, json } = await ask({
      ...withConfig(imageConfig),
      safetySettings: [{ category: 'HARM_CATEGORY_IMAGE_HATE', threshold: 'OFF' }],
    })
    expect(status).toBe(200)
    const { data } = json.candidates[0].content.parts[0].inlineData
    expect((await see(Buffer.from(data, 'base64'))).format).toBe('png')
    expect(
      (await ask(withConfig({ imageOutputOptions: { mimeType: 'image/jpeg', compressionQuality: 80 } }))).status,
    ).toBe(200)
  })

  test.each([
    ['a turn without a role', { contents: [{ parts: [{ text: 'a hill' }] }] }, 'Please use a valid role: user, model.'],
    ['an unknown field', { colour: 'red' }, 'Unknown name "colour"'],
    ["the Developer API's own fields", { serviceTier: 'flex' }, 'Unknown name "serviceTier"'],
    ['WebP', withConfig({ imageOutputOptions: { mimeType: 'image/webp' } }), 'image/webp'],
    ['a quality without JPEG', withConfig({ imageOutputOptions: { compressionQuality: 80 } }), 'compressionQuality'],
    ['a person it does not know', withConfig({ personGeneration: 'SOME' }), 'person_generation'],
    [
      'a file without its type',
      { contents: [{ role: 'user', parts: [{ fileData: { fileUri: 'gs://b/a.png' } }] }] },
      'mimeType',
    ],
  ])('%s is refused', async (_, body, why) => {
    const { status, json } = await ask(body)
    expect(status).toBe(400)
    expect(json.error.message).toContain(why)
  })

  test('files lie in Cloud Storage or are public, and are none of the Developer API', async () => {
    const withFile = (fileUri: string) => ({
      contents: [{ role: 'user', parts: [{ text: 'a hat' }, { fileData: { fileUri, mimeType: 'image/png' } }] }],
    })
    for (const uri of ['gs://bucket/a.png', 'https://a.example/b.png'])
      expect((await ask(withFile(uri))).status).toBe(200)
    expect((await ask(withFile('https://generativelanguage.googleapis.com/v1beta/files/abc'))).status).toBe(400)
  })

  test('a picture of more than 7 MB is refused', async () => {
    const data = Buffer.alloc(7_000_001).toString('base64')
    expect(
      (await ask({ contents: [{ role: 'user', parts: [{ inlineData: { mimeType: 'image/png', data } }] }] })).json.error
        .message,
    ).toContain('7 MB')
  })
})
