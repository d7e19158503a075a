/** What programs with OpenAI's SDK for JavaScript get to catch, and what the SDK itself tries again. */
import { createHash } from 'node:crypto'
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { CallerConfig } from '../../src/config/config.ts'
import { createMemoryStore } from '../../src/limits/memory-store.ts'
import type { TestGateway } from '../helpers/gateway.ts'
import { green, pictureOf, startPaintingGateway } from './setup.ts'

const caller = (id: string, more: Partial<CallerConfig> = {}): CallerConfig => ({
  id,
  keySha256: createHash('sha256').update(`key-of-${id}`).digest('hex'),
  models: null,
  limits: {},
  ...more,
})

/** Added to the limiter's clock, so that a minute need not be waited for. */
let skippedMs = 0
let gateway: TestGateway

beforeAll(async () => {
  gateway = await startPaintingGateway({
    limitStore: createMemoryStore({ now: () => performance.now() + skippedMs }),
    callers: [
      caller('team'),
      caller('patient', { limits: { requestsPerMinute: 1 } }),
      caller('hasty', { limits: { requestsPerMinute: 1 } }),
      caller('choosy', { models: ['nano-banana'] }),
    ],
  })
})
afterAll(() => gateway.close())

const clientOf = (id: string, options: { maxRetries?: number } = {}) =>
  new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: `key-of-${id}`, maxRetries: 0, ...options })

const small = { model: 'nano-banana-2', prompt: 'A kite', size: '512x512' } as const

async function caught(work: Promise<unknown>): Promise<InstanceType<typeof OpenAI.APIError>> {
  const error: unknown = await work.then(
    () => null,
    (reason: unknown) => reason,
  )
  if (error instanceof OpenAI.APIError) return error
  throw error ?? new Error('Nothing was thrown.')
}

const requestsBy = (id: string) => gateway.log.filter(({ caller }) => caller === id)

describe('the class, the code and the parameter say what is wrong', () => {
  test('a prompt that is empty', async () => {
    const error = await caught(clientOf('team').images.generate({ ...small, prompt: '' }))

    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({
      status: 400,
      type: 'invalid_request_error',
      code: 'missing_required_parameter',
      param: 'prompt',
    })
    expect(error.requestID).toMatch(/^req_/)
    expect(error.message).toContain("'prompt'")
  })

  test('a ratio that the model lacks, with the list of those it has', async () => {
    const error = await caught(clientOf('team').images.generate({ ...small, aspect_ratio: '7:5' } as typeof small))

    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({ code: 'invalid_value', param: 'aspect_ratio' })
    expect(error.message).toContain('16:9')
  })

  test('a file that is no picture', async () => {
    const image = await toFile(Buffer.from('certainly not a picture'), 'input.png', { type: 'image/png' })
    const error = await caught(clientOf('team').images.edit({ ...small, image }))

    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({ code: 'invalid_image', param: 'image[0]' })
  })

  test('a refusal of the model, with its stage and reason', async () => {
    const prompt = 'A kite [sandbox refuse=IMAGE_SAFETY]'
    const error = await caught(clientOf('team', { maxRetries: 2 }).images.generate({ ...small, prompt }))

    expect(error).toBeInstanceOf(OpenAI.BadRequestError)
    expect(error).toMatchObject({ type: 'image_generation_user_error', code: 'moderation_blocked' })
    expect(error.error).toMatchObject({
      moderation_details: { moderation_stage: 'output', categories: ['IMAGE_SAFETY'] },
    })
  })

  test('a wrong key: not tried again', async () => {
    const before = gateway.log.length
    const error = await caught(clientOf('nobody', { maxRetries: 2 }).images.generate(small))

    expect(error).toBeInstanceOf(OpenAI.AuthenticationError)
    expect(error).toMatchObject({ status: 401, code: 'invalid_api_key' })
    expect(gateway.log).toHaveLength(before + 1)
  })

  test('a wrong key for the list of models', async () => {
    await expect(clientOf('nobody').models.list()).rejects.toBeInstanceOf(OpenAI.AuthenticationError)
  })

  test('a model that does not exist, or is not the caller’s', async () => {
    const unknown = await caught(clientOf('team').images.generate({ ...small, model: 'gemini-0-image' }))
    const denied = await caught(clientOf('choosy').images.generate(small))

    for (const error of [unknown, denied]) {
      expect(error).toBeInstanceOf(OpenAI.NotFoundError)
      expect(error).toMatchObject({ code: 'model_not_found' })
    }
    await expect(clientOf('team').models.retrieve('gemini-0-image')).rejects.toBeInstanceOf(OpenAI.NotFoundError)
  })

  test('an operation that OpenAI has retired', async () => {
    const image = await toFile(await pictureOf(green), 'input.png')
    const error = await caught(clientOf('team').images.createVariation({ image }))

    expect(error).toBeInstanceOf(OpenAI.NotFoundError)
    expect(error.message).toContain('/v1/images/edits')
  })

  test('an upstream whose quota is used up for the day: not tried again', async () => {
    const prompt = 'A kite [sandbox status=429 daily]'
    const before = requestsBy('team').length
    const error = await caught(clientOf('team', { maxRetries: 2 }).images.generate({ ...small, prompt }))

    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error).toMatchObject({ code: 'insufficient_quota' })
    expect(requestsBy('team')).toHaveLength(before + 1)
  })

  test('an upstream that failed', async () => {
    const prompt = 'A kite [sandbox status=500]'
    const error = await caught(clientOf('team').images.generate({ ...small, prompt }))

    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
    expect(error).toMatchObject({ status: 502, type: 'server_error' })
  })

  test('a connection that broke in the middle of the upstream’s picture', async () => {
    const error = await caught(clientOf('team').images.generate({ ...small, prompt: 'A kite [sandbox cut]' }))

    expect(error).toBeInstanceOf(OpenAI.InternalServerError)
    expect(error).toMatchObject({ status: 502 })
  })
})

describe('a caller over the limit', () => {
  test('catches a RateLimitError that tells how long to wait', async () => {
    const client = clientOf('hasty')
    await client.images.generate(small)
    const error = await caught(client.images.generate(small))

    expect(error).toBeInstanceOf(OpenAI.RateLimitError)
    expect(error).toMatchObject({ status: 429, code: 'rate_limit_exceeded', type: 'requests' })
    const seconds = Number(error.headers?.get('retry-after'))
    expect(seconds).toBeGreaterThan(50)
    expect(seconds).toBeLessThanOrEqual(61)
    expect(error.headers?.get('x-ratelimit-remaining-requests')).toBe('0')
  })

  test('gets the picture from an SDK that tries again after the time it was told', async () => {
    const client = clientOf('patient', { maxRetries: 2 })
    await client.images.generate(small)
    skippedMs += 58_500
    const { data } = await client.images.generate(small)

    expect(data).toHaveLength(1)
    expect(requestsBy('patient').map(({ outcome }) => outcome)).toEqual(['ok', 'limited', 'ok'])
  })
})
