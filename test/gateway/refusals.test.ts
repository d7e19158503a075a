/** A refusal comes from Google as a 200. An OpenAI caller is told so; a Gemini caller gets the document and reads it there. */
import { describe, expect, test } from 'vitest'
import { answerWith, fixture } from '../fixtures/gemini.ts'
import { askGemini, askOpenai } from '../helpers/callers.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'
import { json } from '../helpers/scripted-upstream.ts'

const { gateway, upstream } = await scriptedGateway(answerWith('refusals/text-only.json'))

interface Case {
  readonly name: string
  readonly code: 'moderation_blocked' | 'no_image_generated'
  readonly stage?: 'input' | 'output'
  /** Google's own word. */
  readonly reason?: string
  readonly says: RegExp
}

const blocked = 'moderation_blocked'
const nothing = 'no_image_generated'
const shapes: readonly Case[] = [
  { name: 'no-image-empty-content', code: nothing, reason: 'NO_IMAGE', says: /NO_IMAGE/ },
  { name: 'image-safety', code: blocked, stage: 'output', reason: 'IMAGE_SAFETY', says: /Prohibited Use policy/ },
  { name: 'image-other', code: nothing, reason: 'IMAGE_OTHER', says: /Unable to show the generated image/ },
  { name: 'prohibited-parts-empty', code: blocked, stage: 'output', reason: 'PROHIBITED_CONTENT', says: /rejected/ },
  {
    name: 'refused-with-thought-image',
    code: blocked,
    stage: 'output',
    reason: 'IMAGE_SAFETY',
    says: /Unable to show/,
  },
  { name: 'text-only', code: nothing, reason: 'STOP', says: /I can't draw that, but how about a kite\?/ },
  { name: 'prompt-blocked', code: blocked, stage: 'input', reason: 'PROHIBITED_CONTENT', says: /prompt was rejected/ },
  {
    name: 'prompt-blocked-vertex',
    code: blocked,
    stage: 'input',
    reason: 'MODEL_ARMOR',
    says: /Blocked by Model Armor/,
  },
  { name: 'no-candidates', code: nothing, says: /no picture/ },
  { name: 'empty-object', code: nothing, says: /no picture/ },
  { name: 'max-tokens-no-image', code: nothing, reason: 'MAX_TOKENS', says: /ran out of tokens/ },
  {
    name: 'prompt-blocked-by-number',
    code: blocked,
    stage: 'input',
    reason: 'PROHIBITED_CONTENT',
    says: /prompt was rejected/,
  },
  { name: 'safety-by-number', code: blocked, stage: 'output', reason: 'SAFETY', says: /rejected/ },
  { name: 'unknown-reason-no-image', code: nothing, reason: 'IMAGE_FORGOTTEN', says: /Hm\./ },
]

describe('an OpenAI caller is told why there is no picture', () => {
  test.each(shapes)('$name', async ({ name, code, stage, reason, says }) => {
    upstream.script = answerWith(`refusals/${name}.json`)
    const { status, reason: phrase, headers, json, line } = await askOpenai(gateway)
    expect(status).toBe(400)
    expect(phrase).toBe(code)
    expect(json.error).toMatchObject({ type: 'image_generation_user_error', code, param: null })
    expect(json.error.message).toMatch(says)
    expect(json.error.message).not.toMatch(/hidden musing/)
    if (reason) expect(json.error.message).toContain(reason)
    if (code === blocked) {
      expect(json.error.moderation_details).toEqual({ moderation_stage: stage, categories: [reason] })
    }
    expect(headers.get('x-plantain-upstream')).toBe('google')
    expect(line).toMatchObject({ outcome: 'refused', status: 400, images: 0, ...(reason && { refusalReason: reason }) })
    expect(upstream.seen).toHaveLength(1)
  })

  test("what the model said about the prompt does not stand in the log: that is the caller's own", async () => {
    upstream.script = answerWith('refusals/text-only.json')
    const { line } = await askOpenai(gateway)
    expect(JSON.stringify(line)).not.toMatch(/kite/)
  })
})

describe('a Gemini caller gets the refusal as Google told it', () => {
  test.each(shapes)('$name', async ({ name, code, reason }) => {
    upstream.script = answerWith(`refusals/${name}.json`)
    const { status, text, line } = await askGemini(gateway)
    expect(status).toBe(200)
    expect(text).toBe(fixture(`refusals/${name}.json`).toString())
    const isRefusal = code === blocked || reason === 'NO_IMAGE' || reason === 'IMAGE_OTHER'
    expect(line).toMatchObject({ status: 200, images: 0, outcome: isRefusal ? 'refused' : 'ok' })
    if (isRefusal) expect(line).toMatchObject({ refusalReason: reason })
  })
})

describe("each of Google's finish reasons, where no picture came", () => {
  const words: readonly (readonly [string, number, string])[] = [
    ...['SAFETY', 'RECITATION', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'SPII'].map(refusedAs),
    ...['IMAGE_SAFETY', 'IMAGE_PROHIBITED_CONTENT', 'IMAGE_RECITATION'].map(refusedAs),
    ...['STOP', 'MAX_TOKENS', 'LANGUAGE', 'OTHER', 'NO_IMAGE', 'IMAGE_OTHER'].map(unpainted),
    ...['FINISH_REASON_UNSPECIFIED', 'A_WORD_OF_2027'].map(unpainted),
    ...['MALFORMED_FUNCTION_CALL', 'MALFORMED_RESPONSE', 'UNEXPECTED_TOOL_CALL', 'TOO_MANY_TOOL_CALLS'].map(
      word => [word, 502, 'upstream_failed'] as const,
    ),
  ]
  function refusedAs(word: string) {
    return [word, 400, 'moderation_blocked'] as const
  }
  function unpainted(word: string) {
    return [word, 400, 'no_image_generated'] as const
  }

  test.each(words)('%s → %i %s', async (finishReason, status, code) => {
    upstream.script = json({ candidates: [{ content: {}, finishReason, index: 0 }] })
    const told = await askOpenai(gateway)
    expect(told).toMatchObject({ status, reason: code, json: { error: { code } } })
    expect(told.line).toMatchObject({ outcome: status === 400 ? 'refused' : 'failed' })
  })

  test.each(['SAFETY', 'OTHER', 'BLOCKLIST', 'PROHIBITED_CONTENT', 'IMAGE_SAFETY', 'MODEL_ARMOR', 'JAILBREAK', 'NEW'])(
    'a prompt blocked for %s is a refusal of the input',
    async blockReason => {
      upstream.script = json({ promptFeedback: { blockReason } })
      const told = await askOpenai(gateway)
      expect(told).toMatchObject({ status: 400, reason: 'moderation_blocked' })
      expect(told.json.error.moderation_details).toEqual({ moderation_stage: 'input', categories: [blockReason] })
    },
  )
})
