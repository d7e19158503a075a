/** Calls in the language of their upstream. */
import { expect, test } from 'vitest'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { generate, paint, placeFor } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const flash31 = 'gemini-3.1-flash-image'

test('a call in the upstream’s own language is passed on as it is, but what that cannot give is translated', async () => {
  const { sent } = await generate(google, flash31, {
    generationConfig: { topP: 0.5, imageConfig: { imageSize: '1K' } },
  })
  expect(sent[0]?.generationConfig).toEqual({ topP: 0.5, imageConfig: { imageSize: '1K' } })
  const own = await paint(openai, { model: 'gpt-image-2', size: 'auto', n: 1 })
  expect(own.sent).toEqual([{ prompt: 'A red kite', model: 'gpt-image-2', size: 'auto', n: 1 }])
  const theirs = await paint(openai, { model: 'gpt-image-2', aspectRatio: '16:9', response_format: 'b64_json' })
  expect(theirs.sent).toEqual([{ prompt: 'A red kite', model: 'gpt-image-2', size: '1376x768' }])
  const hd = await paint(google, { model: 'nano-banana-hd' })
  expect(hd.sent[0]?.generationConfig.imageConfig).toEqual({ imageSize: '4K' })
})
