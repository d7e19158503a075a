/** What is read out of answers of OpenAI's form, as OpenAI and its imitators send them. */
import { describe, expect, test } from 'vitest'
import { openai } from '../../../src/dialects/openai.ts'
import { bytesOf, join } from '../../../src/images/bytes.ts'
import { createOutbound, observe } from '../../../src/protocols/openai/index.ts'
import { DocumentReader } from '../../../src/streams/document-reader.ts'

const { decodeResult } = createOutbound(openai)
const long = Buffer.alloc(3000, 7).toString('base64')

async function decode(document: unknown) {
  const bytes = Buffer.from(typeof document === 'string' ? document : JSON.stringify(document))
  const reader = new DocumentReader()
  reader.push(bytes)
  const { value } = reader.finish()
  const parts = await decodeResult({ value, bytesOf: text => bytesOf(bytes).slice(text.start, text.length) })
  return Promise.all(
    parts.map(async part => (part.type === 'image' ? { ...part, base64: (await join(part.base64)).toString() } : part)),
  )
}

const usage = {
  total_tokens: 150,
  input_tokens: 50,
  output_tokens: 100,
  input_tokens_details: { text_tokens: 10, image_tokens: 40 },
  output_tokens_details: { text_tokens: 0, image_tokens: 100 },
}
const usagePart = {
  type: 'usage',
  usage: {
    inputTokens: 50,
    outputTokens: 100,
    totalTokens: 150,
    inputDetails: { textTokens: 10, imageTokens: 40 },
    outputDetails: { textTokens: 0, imageTokens: 100 },
  },
}
const image = (index: number, base64: string, more: object = {}) => ({
  type: 'image',
  index,
  base64,
  thought: false,
  ...more,
})
const none = { type: 'finish', reason: 'no-image' }

describe('whole answers', () => {
  test('pictures in their places, their type as labelled, and the tokens', async () => {
    const document = { created: 1, data: [{ b64_json: long }, { b64_json: 'AAAA' }], output_format: 'png', usage }
    expect(await decode(document)).toEqual([
      image(0, long, { mediaType: 'image/png' }),
      image(1, 'AAAA', { mediaType: 'image/png' }),
      usagePart,
    ])
  })

  test('addresses, escaped and long ones too', async () => {
    const path = 'a'.repeat(1500)
    const text = `{"data":[{"url":"https:\\/\\/example.com\\/1.png"},{"url":"https:\\/\\/example.com\\/${path}?x=\\u0026"}]}`
    expect(await decode(text)).toEqual([
      { type: 'link', index: 0, url: 'https://example.com/1.png' },
      { type: 'link', index: 1, url: `https://example.com/${path}?x=&` },
    ])
  })

  test('a long address that is no JSON text is the upstream’s failure', async () => {
    const text = `{"data":[{"url":"https://example.com/\\q${'a'.repeat(1500)}"}]}`
    await expect(decode(text)).rejects.toMatchObject({ kind: 'upstream-failed' })
  })

  test.each(['b64_json', 'url'])('a data URL in %s is a picture of the type it says', async field => {
    const mediaType = 'image/webp'
    expect(await decode({ data: [{ [field]: `data:${mediaType};base64,${long}` }] })).toEqual([
      image(0, long, { mediaType }),
    ])
    const escaped = `{"data":[{"${field}":"data:image\\/webp;base64,AAAA"}]}`
    expect(await decode(escaped)).toEqual([image(0, 'AAAA', { mediaType })])
  })

  test('of both forms the bytes count', async () => {
    expect(await decode({ data: [{ b64_json: 'AAAA', url: 'https://example.com/1' }] })).toEqual([image(0, 'AAAA')])
  })

  test.each([null, ''])('an address stands beside a place for bytes that holds %j', async b64_json => {
    const url = 'https://example.com/1.png'
    expect(await decode({ data: [{ url, b64_json, revised_prompt: '' }] })).toEqual([{ type: 'link', index: 0, url }])
  })

  test.each([
    ['no data', {}],
    ['null', { data: null }],
    ['an empty list', { data: [] }],
    ['nulls', { created: null, data: [null, { b64_json: null, url: null }], usage: null, output_format: null }],
    ['empty texts', { data: [{ b64_json: '', url: '' }] }],
    ['error: null', { error: null, data: [] }],
  ])('no picture came: %s', async (_name, document) => {
    expect(await decode(document)).toEqual([none])
  })

  test.each([
    ['credits', { meta: { usage: { credits_used: 5 } }, usage: { credits_used: 5 } }],
    ['nonsense', { usage: 'many' }],
    ['negative numbers', { usage: { input_tokens: -1, output_tokens: 3 } }],
  ])('usage that counts no tokens is none: %s', async (_name, more) => {
    expect(await decode({ data: [{ b64_json: 'AAAA' }], ...more })).toEqual([image(0, 'AAAA')])
  })

  test('details that do not add up do so afterwards; a missing total is the sum', async () => {
    const odd = {
      input_tokens: 50,
      output_tokens: 100,
      input_tokens_details: { image_tokens: 70 },
      output_tokens_details: null,
    }
    expect((await decode({ data: [{ b64_json: 'AAAA' }], usage: odd })).at(-1)).toEqual({
      type: 'usage',
      usage: { inputTokens: 50, outputTokens: 100, totalTokens: 150, inputDetails: { textTokens: 0, imageTokens: 50 } },
    })
  })

  test.each(['[]', '"text"', '7', '{"data":"none"}', '{"data":[{"b64_json":7}]}'])('%s is no answer', async text => {
    await expect(decode(text)).rejects.toMatchObject({ kind: 'upstream-failed' })
  })
})

describe('events of a stream', () => {
  test('a partial image is a draft, the completed one the picture with its tokens', async () => {
    const about = { created_at: 1, size: '1024x1024', quality: 'high', background: 'opaque', output_format: 'jpeg' }
    const partial = { type: 'image_generation.partial_image', b64_json: long, partial_image_index: 0, ...about }
    const told = { mediaType: 'image/jpeg', remarks: { quality: 'high', background: 'opaque' } }
    expect(await decode(partial)).toEqual([image(0, long, { ...told, thought: true })])
    const completed = { type: 'image_edit.completed', b64_json: long, ...about, usage }
    expect(await decode(completed)).toEqual([image(0, long, told), usagePart])
  })
})

describe('an error where an answer should be', () => {
  const refusal = {
    error: { message: 'Rejected.', type: 'image_generation_user_error', code: 'moderation_blocked', param: null },
  }
  test.each([
    [refusal, 'content-refused'],
    [[refusal], 'content-refused'],
    [
      { type: 'error', error: { message: 'Slow down.', type: 'requests', code: 'rate_limit_exceeded' } },
      'rate-limited',
    ],
    [{ error: { message: 'Broken.', type: 'server_error', code: null } }, 'upstream-failed'],
    [{ error: { message: 'No such size.', type: 'invalid_request_error', param: 'size' } }, 'invalid-request'],
    [{ error: { message: 'Busy.', code: 503 } }, 'overloaded'],
    [{ error: 'Something broke' }, 'upstream-failed'],
  ])('%j is %s', async (document, kind) => {
    await expect(decode(document)).rejects.toMatchObject({ kind })
  })
})

describe('what a relay learns', () => {
  test('pictures and tokens of an answer', () => {
    expect(observe([{ data: [{ b64_json: 'AAAA' }, { url: 'https://example.com' }, {}], usage }])).toEqual({
      images: 2,
      usage: usagePart.usage,
    })
  })

  test('of a stream the completed ones', () => {
    const events = [
      { type: 'image_generation.partial_image', b64_json: 'AAAA' },
      { type: 'image_generation.completed', b64_json: 'BBBB', usage },
    ]
    expect(observe(events)).toEqual({ images: 1, usage: usagePart.usage })
  })

  test('a refusal in a stream', () => {
    const error = {
      message: 'Rejected.',
      code: 'moderation_blocked',
      moderation_details: { moderation_stage: 'output', categories: ['violence'] },
    }
    const seen = observe([{ type: 'error', error }])
    expect(seen).toMatchObject({ images: 0, refusal: 'violence' })
    expect(seen.failure?.kind).toBe('content-refused')
  })

  test('nothing of what is no answer', () => {
    expect(observe([])).toEqual({ images: 0 })
    expect(observe(['text', null, { data: 'x' }])).toEqual({ images: 0 })
  })
})
