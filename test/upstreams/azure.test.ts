/** The fake Azure: OpenAI's rules behind deployments, versions and `api-key`; its own words for its own errors. */

import { AzureOpenAI } from 'openai'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { numberedPicture } from '../helpers/pictures.ts'
import { bearer, postJson, postParts } from './ask.ts'
import { startAzure } from './azure.ts'
import type { FakeUpstream } from './contract.ts'

let fake: FakeUpstream
beforeAll(async () => {
  fake = await startAzure()
})
afterAll(() => fake.close())
beforeEach(() => fake.reset())

const version = '?api-version=2025-04-01-preview'
const path = (deployment: string, operation = 'generations') => `/openai/deployments/${deployment}/images/${operation}`
const apiKey = () => ({ 'api-key': fake.key })

describe('deployments', () => {
  test('the path names the model; the body may, and need not', async () => {
    for (const model of [{}, { model: 'pictures-2' }, { model: 'gpt-image-2' }]) {
      const body = { prompt: 'a hill', size: '1536x640', ...model }
      expect((await postJson(fake, path('pictures-2') + version, body, apiKey())).json.size).toBe('1536x640')
    }
    // The other deployment is gpt-image-1.5's, which has three sizes.
    const { status, json } = await postJson(
      fake,
      path('pictures-1-5') + version,
      { prompt: 'a hill', size: '1536x640' },
      apiKey(),
    )
    expect([status, json.error.param]).toEqual([400, 'size'])
  })

  test('edits are forms', async () => {
    const png = await numberedPicture('png')
    const file = { name: 'image', value: png, fileName: 'a.png', type: 'image/png' }
    const { status } = await postParts(
      fake,
      path('pictures-2', 'edits') + version,
      { prompt: 'a hat' },
      [file],
      apiKey(),
    )
    expect(status).toBe(200)
    const { json } = await postJson(fake, path('pictures-2', 'edits') + version, { prompt: 'a hat' }, apiKey())
    expect(json.error.code).toBe('unsupported_content_type')
  })

  test("OpenAI's SDK for Azure is understood", async () => {
    const sdk = new AzureOpenAI({
      endpoint: fake.baseUrl,
      apiKey: fake.key,
      apiVersion: '2025-04-01-preview',
      maxRetries: 0,
    })
    expect((await sdk.images.generate({ model: 'pictures-2', prompt: 'a hill' })).data).toHaveLength(1)
    expect(fake.problems).toEqual([])
  })

  test.each([
    ['no version', path('pictures-2'), 404, '404'],
    ['a version before image models', `${path('pictures-2')}?api-version=2024-02-01`, 400, 'BadRequest'],
    ['a version that is none', `${path('pictures-2')}?api-version=latest`, 400, 'BadRequest'],
    ["the model's own name", path('gpt-image-2') + version, 404, 'DeploymentNotFound'],
    ["OpenAI's own path", '/v1/images/generations', 404, '404'],
  ])('%s is refused', async (_, where, status, code) => {
    const told = await postJson(fake, where, { prompt: 'a hill' }, apiKey())
    expect(told.status).toBe(status)
    expect(told.json.error).toEqual({ code, message: expect.any(String) })
  })

  test('a bearer is no api-key, and a wrong one is told so in the words of Azure', async () => {
    for (const headers of [bearer(fake), { 'api-key': 'wrong' }, {}]) {
      const { status, json } = await postJson(fake, path('pictures-2') + version, { prompt: 'a hill' }, headers)
      expect(status).toBe(401)
      expect(json).toEqual({ error: { code: '401', message: expect.stringContaining('invalid subscription key') } })
    }
  })
})

describe('the v1 surface', () => {
  const v1 = '/openai/v1/images/generations'

  test('the body names the deployment, no version is needed, the key comes either way', async () => {
    for (const headers of [apiKey(), bearer(fake)]) {
      for (const where of [v1, `${v1}?api-version=preview`]) {
        expect((await postJson(fake, where, { model: 'pictures-2', prompt: 'a hill' }, headers)).status).toBe(200)
      }
    }
  })

  test('without a deployment of that name it is not found, without any name the parameter is missing', async () => {
    const ask = (body: object) => postJson(fake, v1, { prompt: 'a hill', ...body }, apiKey())
    expect((await ask({ model: 'gpt-image-2' })).json.error.code).toBe('DeploymentNotFound')
    expect((await ask({})).json.error.code).toBe('missing_required_parameter')
  })
})

test("parameters are refused as OpenAI refuses them, content in Azure's words", async () => {
  const ask = (body: object) => postJson(fake, path('pictures-2') + version, { prompt: 'a hill', ...body }, apiKey())
  expect((await ask({ response_format: 'b64_json' })).json.error).toMatchObject({
    code: 'unknown_parameter',
    param: 'response_format',
  })
  fake.answerNext({ kind: 'refusal' })
  fake.answerNext({ kind: 'refusal', reason: 'moderation_blocked', stage: 'input' })
  fake.answerNext({ kind: 'rate-limited' })
  expect((await ask({})).json).toMatchObject({ error: { code: 'contentFilter' } })
  expect((await ask({})).json.error.moderation_details.moderation_stage).toBe('input')
  const limited = await ask({})
  expect([limited.status, limited.json.error.code, limited.headers.get('retry-after')]).toEqual([429, '429', '12'])
})
