/** Paths, keys and model lists. */
import { expect, test } from 'vitest'
import { ask, fixedModel, flashModel, readAnswer, request, startSandbox } from './setup.ts'

const refusal = '[sandbox refuse=NO_IMAGE]'
const key = { headers: { 'x-goog-api-key': 'any' } }

test.for(['v1', 'v1beta', 'v1alpha'])('%s is served', async version => {
  const url = await startSandbox()
  const response = await fetch(`${url}/${version}/models/${flashModel.id}%3AgenerateContent?key=any`, {
    method: 'POST',
    body: JSON.stringify(request(refusal)),
  })
  expect(response.status).toBe(200)
})

test('no key is 403, a wrong one 400, a bearer token 401, each as Google says it', async () => {
  const url = await startSandbox({ apiKeys: ['good'] })
  const wrong = await ask(url, request(refusal), { headers: { 'x-goog-api-key': 'other' } })
  expect([wrong.status, await wrong.json()]).toMatchObject([
    400,
    {
      error: {
        code: 400,
        message: 'API key not valid. Please pass a valid API key.',
        status: 'INVALID_ARGUMENT',
        details: [
          {
            '@type': 'type.googleapis.com/google.rpc.ErrorInfo',
            reason: 'API_KEY_INVALID',
            domain: 'googleapis.com',
            metadata: { service: 'generativelanguage.googleapis.com' },
          },
          { '@type': 'type.googleapis.com/google.rpc.LocalizedMessage' },
        ],
      },
    },
  ])
  const none = await fetch(`${url}/v1beta/models`)
  expect([none.status, await none.json()]).toMatchObject([403, { error: { code: 403, status: 'PERMISSION_DENIED' } }])
  const bearer = await fetch(`${url}/v1beta/models`, { headers: { authorization: 'Bearer good' } })
  expect([bearer.status, await bearer.json()]).toMatchObject([401, { error: { code: 401, status: 'UNAUTHENTICATED' } }])
  expect((await fetch(`${url}/v1beta/models?key=good`)).status).toBe(200)
})

test('without a list of keys every key is good but an empty one and wrong-key', async () => {
  const url = await startSandbox()
  const status = async (value: string) => (await fetch(`${url}/v1beta/models?key=${value}`)).status
  expect([await status('anything'), await status('wrong-key'), await status('')]).toEqual([200, 400, 400])
})

test.for([
  ['GET', '/'],
  ['GET', '/v1beta/files'],
  ['POST', '/v1beta/models'],
  ['GET', `/v1beta/models/${flashModel.id}/x`],
  ['PUT', `/v1beta/models/${flashModel.id}:generateContent`],
  ['POST', '/v2/models/x:generateContent'],
  ['POST', '//evil/v1beta/models/x:generateContent'],
  ['GET', '/v1beta/%zz'],
])('%s %s is 404 in JSON', async ([method, path]) => {
  const url = await startSandbox()
  const response = await fetch(`${url}${path}`, { method: method ?? 'GET', ...key })
  expect([response.status, await response.json()]).toMatchObject([404, { error: { code: 404, status: 'NOT_FOUND' } }])
})

test('an unknown model, or a method that image models lack, is a 404 that names both', async () => {
  const url = await startSandbox()
  const unknown = await readAnswer(await ask(url, request('x'), { model: 'gemini-9' }))
  expect(unknown.error?.message).toMatch(
    /^models\/gemini-9 is not found for API version v1beta, or is not supported for generateContent\./,
  )
  const method = await readAnswer(await ask(url, request('x'), { method: 'predict' }))
  expect(method.error).toMatchObject({ code: 404, message: expect.stringContaining('not supported for predict') })
})

test('an unknown query field is a 400 as for any unknown name', async () => {
  const url = await startSandbox()
  const { error } = await readAnswer(await ask(url, request('x'), { query: '?size=2K' }))
  expect(error).toMatchObject({
    code: 400,
    message: expect.stringContaining('Unknown name "size": Cannot bind query parameter.'),
  })
})

test('models are listed page by page', async () => {
  const url = await startSandbox()
  const names: string[] = []
  let pageToken = ''
  for (let page = 0; page < 3; page++) {
    const response = await fetch(`${url}/v1beta/models?pageSize=1${pageToken && `&pageToken=${pageToken}`}`, key)
    const list = (await response.json()) as { models: { name: string }[]; nextPageToken?: string }
    names.push(...list.models.map(({ name }) => name))
    expect(list.models).toHaveLength(1)
    expect('nextPageToken' in list).toBe(page < 2)
    pageToken = list.nextPageToken ?? ''
  }
  expect(names).toEqual(['models/gemini-2.5-flash-image', 'models/gemini-3.1-flash-image', 'models/gemini-3-pro-image'])
})

test('a bad page size or token is a 400', async () => {
  const url = await startSandbox()
  for (const query of ['pageSize=-1', 'pageSize=x', 'pageToken=zzz']) {
    expect((await fetch(`${url}/v1beta/models?${query}`, key)).status).toBe(400)
  }
})

test('a model tells what it is', async () => {
  const url = await startSandbox()
  const response = await fetch(`${url}/v1/models/${fixedModel.id}`, key)
  expect(await response.json()).toMatchObject({
    name: 'models/gemini-2.5-flash-image',
    version: '2.5',
    displayName: 'Nano Banana',
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    thinking: false,
  })
  expect((await fetch(`${url}/v1/models/none`, key)).status).toBe(404)
})
