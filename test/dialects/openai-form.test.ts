/** Callers of OpenAI's protocol at every vendor's own surface: as strict as the vendors' documents are. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { askOpenai, told } from '../helpers/callers.ts'
import { type FormPart, postForm, textParts } from '../helpers/forms.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { startAimlapi } from '../upstreams/aimlapi.ts'
import { startAzure } from '../upstreams/azure.ts'
import type { FakeAnswer, FakeUpstream } from '../upstreams/contract.ts'
import { startNanoBanana } from '../upstreams/nano-banana.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { startZenlayer } from '../upstreams/zenlayer.ts'

interface Vendor {
  readonly name: string
  readonly start: () => Promise<FakeUpstream>
  readonly apiVersion?: string
  readonly models?: ReadonlyMap<string, string>
  /** What a caller asks for. */
  readonly model: string
  /** The size that `aspect_ratio: 9:16` at 2K comes out as. */
  readonly size: string
  /** One that takes three references. */
  readonly editModel?: string
}

const deployments = new Map([['gpt-image-2', 'pictures-2']])
const vendors: readonly Vendor[] = [
  { name: 'openai', start: startOpenAI, model: 'gpt-image-2', size: '1536x2752' },
  {
    name: 'azure',
    start: () => startAzure('deployments'),
    apiVersion: '2025-04-01-preview',
    models: deployments,
    model: 'gpt-image-2',
    size: '1536x2752',
  },
  { name: 'azure v1', start: () => startAzure('v1'), models: deployments, model: 'gpt-image-2', size: '1536x2752' },
  {
    name: 'zenlayer',
    start: () => startZenlayer('openai'),
    model: 'nano-banana-2',
    size: '1536x2752',
    editModel: 'gemini-3-pro-image',
  },
  { name: 'nano-banana', start: startNanoBanana, model: 'nano-banana-2', size: '1536x2752' },
  { name: 'aimlapi', start: startAimlapi, model: 'nano-banana-2', size: '1536x2752' },
]

describe.each(vendors)('$name', vendor => {
  let fake: FakeUpstream
  let gateway: TestGateway
  let pictures: Buffer[]
  const { model, editModel = model, apiVersion, models = new Map<string, string>() } = vendor

  beforeAll(async () => {
    fake = await vendor.start()
    pictures = await Promise.all([
      numberedPicture('png', 64, 48, 1),
      numberedPicture('jpeg', 64, 64, 2),
      numberedPicture('webp', 30, 64, 3),
    ])
    const { name, dialect, baseUrl, key } = fake
    gateway = await startGateway({
      upstream: baseUrl,
      upstreamConfig: {
        name,
        protocol: 'openai',
        dialect,
        baseUrl,
        keys: [key],
        models,
        ...(apiVersion && { apiVersion }),
      },
    })
  })
  afterAll(async () => {
    await gateway.close()
    await fake.close()
  })

  const order = (answer: FakeAnswer, times = 1) => {
    fake.reset()
    // Answers by address are another room's to fetch.
    fake.answerNext(answer.kind === 'ok' && vendor.name === 'aimlapi' ? { ...answer, as: 'b64_json' } : answer, times)
  }

  test('paints the shape that is asked for', async () => {
    order({ kind: 'ok' })
    const { status, json } = await askOpenai(gateway, { model, aspect_ratio: '9:16', image_size: '2K' })
    expect(fake.problems).toEqual([])
    expect([status, json.data?.length, json.size]).toEqual([200, 1, vendor.size])
  })

  test('paints several, in as few calls as it takes', async () => {
    order({ kind: 'ok' }, 3)
    const { json } = await askOpenai(gateway, { model, n: 3, aspect_ratio: '1:1' })
    expect(fake.problems).toEqual([])
    expect(json.data).toHaveLength(3)
  })

  test('edits three pictures', async () => {
    order({ kind: 'ok' })
    const fields = textParts({ model: editModel, prompt: 'Put a hat on it', aspect_ratio: '1:1' })
    const files: FormPart[] = pictures.map(value => ({ name: 'image[]', value, fileName: 'a' }))
    const { status } = await told(gateway, await postForm(`${gateway.url}/v1/images/edits`, [...fields, ...files]))
    expect(fake.problems).toEqual([])
    expect(status).toBe(200)
  })

  test('takes every field a caller can think of', async () => {
    order({ kind: 'ok' })
    const fields = {
      quality: 'high',
      moderation: 'low',
      complexity: 'low',
      input_fidelity: 'high',
      user: 'me',
      safety_identifier: 'me',
      style: 'vivid',
      seed: 7,
      mediaResolution: 'low',
      steps: 30,
    }
    const { status, headers } = await askOpenai(gateway, { model, aspectRatio: '1:1', ...fields })
    expect(fake.problems).toEqual([])
    expect(status).toBe(200)
    expect(headers.get('x-plantain-ignored-params')).toContain('style')
  })

  test.each([
    [{ kind: 'refusal' }, 400, 'moderation_blocked'],
    [{ kind: 'rate-limited' }, 429, 'rate_limit_exceeded'],
    [{ kind: 'quota-exhausted' }, 429, 'insufficient_quota'],
    [{ kind: 'unauthorized' }, 502, 'upstream_credential'],
    [{ kind: 'server-error', status: 500 }, 502, 'upstream_failed'],
    [{ kind: 'server-error', status: 502 }, 502, 'upstream_failed'],
    [{ kind: 'server-error', status: 503 }, 503, 'overloaded'],
    [{ kind: 'empty' }, 400, 'no_image_generated'],
    [{ kind: 'cut' }, 502, 'upstream_failed'],
  ] as const)('$0.kind is told as what it is', async (answer, status, code) => {
    order(answer)
    const { status: said, json } = await askOpenai(gateway, { model, aspect_ratio: '1:1' })
    expect([said, json.error?.code]).toEqual([status, code])
    expect(fake.problems).toEqual([])
  })
})
