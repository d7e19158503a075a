/** The prompt, and what goes before it. */
import { expect, test } from 'vitest'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { generate, paint, placeFor, refused } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const missing = 'missing_required_parameter'
test.each([[undefined, missing], [null, missing], ['', missing], [' \n\t', missing], [7], [['a']], [{ a: 1 }]])(
  '%j is no prompt',
  async (prompt, code = 'invalid_value') => void (await refused(google, { prompt }, 'prompt', code)),
)

test('a prompt of 32000 characters is long enough, whatever they are', async () => {
  for (const prompt of ['a'.repeat(32_000), '☃'.repeat(32_000), '"\\\n'.repeat(10_000), '🪁'.repeat(16_000)]) {
    const { status, sent } = await paint(google, { prompt })
    expect([status, sent[0]?.contents[0].parts[0].text]).toEqual([200, prompt])
  }
  await refused(google, { prompt: 'a'.repeat(32_001) }, 'prompt')
  await refused(google, { prompt: 'a'.repeat(1_000_000) }, 'prompt')
})

test('a prompt keeps its control characters, its direction marks and its accents', async () => {
  const prompt = 'a\u0000b\u202e\u0301\u2028 "quoted" \\ </script> \u{1f3f4}'
  const { status, sent } = await paint(google, { prompt })
  expect([status, sent[0]?.contents[0].parts[0].text]).toEqual([200, prompt])
})

test('standing instructions of a Gemini caller go before the prompt of an OpenAI model', async () => {
  const systemInstruction = { parts: [{ text: 'Paint in oil.' }] }
  const { sent } = await generate(openai, 'gpt-image-2', { systemInstruction })
  expect(sent[0]?.prompt).toMatch(/^Paint in oil\.\s+A red kite$/)
})
