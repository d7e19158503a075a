/** What is read out of an upstream's events of OpenAI's form, and how callers' events are written. */
import { describe, expect, test } from 'vitest'
import { bytesOfText, join } from '../../src/images/bytes.ts'
import { GatewayError } from '../../src/images/error.ts'
import type { Painting } from '../../src/images/result.ts'
import { createEvents, decodeEvent } from '../../src/protocols/openai/events.ts'

const decode = async (value: unknown, name = '') =>
  (await decodeEvent({ value, name, bytesOf: () => bytesOfText('') })).map(part =>
    part.type === 'image' ? { type: part.type, thought: part.thought, mediaType: part.mediaType } : part,
  )

describe('an upstream’s event', () => {
  test.each(['image_generation', 'image_edit'])(
    '%s: a partial picture is a draft, a completed one the end',
    async stem => {
      const picture = { b64_json: 'AAAA', output_format: 'png' }
      expect(await decode({ type: `${stem}.partial_image`, ...picture, partial_image_index: 0 })).toEqual([
        { type: 'image', thought: true, mediaType: 'image/png' },
      ])
      const usage = { input_tokens: 5, output_tokens: 6, total_tokens: 11 }
      expect(await decode({ type: `${stem}.completed`, ...picture, usage })).toEqual([
        { type: 'image', thought: false, mediaType: 'image/png' },
        { type: 'usage', usage: { inputTokens: 5, outputTokens: 6, totalTokens: 11 } },
        { type: 'finish', reason: 'done' },
      ])
    },
  )

  test('that nobody knows says nothing', async () => {
    expect(await decode({ type: 'image_generation.queued' })).toEqual([])
    expect(await decode({ type: 'keepalive', error: null })).toEqual([])
  })

  const told = {
    message: 'Rate limit reached. Please try again in 12s.',
    type: 'requests',
    code: 'rate_limit_exceeded',
  }
  test.each([
    ['in an event of that name', { error: told }, 'error'],
    ['in any event', { error: told }, ''],
    ['with its own type beside it', { type: 'error', error: told }, 'error'],
    ['without an object around it', { ...told, type: 'error' }, ''],
    ['without an object around it, named by the event', told, 'error'],
  ])('that tells of an error is one: %s', async (_, value, name) => {
    await expect(decode(value, name)).rejects.toMatchObject({ kind: 'rate-limited', facts: { retryAfterMs: 12_000 } })
  })
})

describe('a caller’s event', () => {
  const events = createEvents('edit', () => new Date(1_700_000_000_500))
  const text = async (bytes: ReturnType<typeof events.end>) => (await join(bytes)).toString()
  const painting: Painting = { base64: bytesOfText('AAAA'), mediaType: 'image/webp', pixels: null }

  test('tells what the picture does not say as auto', async () => {
    expect(await text(events.draft(painting, 2))).toBe(
      'event: image_edit.partial_image\ndata: {"type":"image_edit.partial_image","b64_json":"AAAA","created_at":1700000000,' +
        '"size":"auto","quality":"auto","background":"auto","output_format":"webp","partial_image_index":2}\n\n',
    )
  })

  test('of several pictures of one call tells what they cost once', async () => {
    const inputDetails = { textTokens: 3, imageTokens: 0 }
    const usage = { inputTokens: 3, outputTokens: 4, totalTokens: 7, inputDetails }
    const body = await text(events.finished({ paintings: [painting, painting], usage }))
    const totals = [...body.matchAll(/"total_tokens":(\d+)/g)].map(([, total]) => Number(total))
    expect(totals).toEqual([0, 7])
  })

  test('is one line whatever is said in it, for readers who take more characters for line ends', async () => {
    const message = 'One\nTwo\u2028Three\u2029Four\u0085Five'
    const frame = await text(events.failure(new GatewayError('upstream-failed', message)))
    expect(frame).toMatch(/^event: error\ndata: [^\n\u0085\u2028\u2029]*\n\n$/)
    expect(JSON.parse(frame.slice(frame.indexOf('{'))).error).toEqual({
      message,
      type: 'server_error',
      param: null,
      code: 'upstream_failed',
    })
  })
})
