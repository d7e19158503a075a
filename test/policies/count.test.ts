/** How many pictures are asked for, and what becomes of several. */
import { expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, askOpenai } from '../helpers/callers.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'
import { json } from '../helpers/scripted-upstream.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { generate, paint, placeFor } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)
const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'))

test('the count is a field where the vendor has one, and calls side by side where not, never candidateCount', async () => {
  expect((await paint(openai, { model: 'gpt-image-2', n: 3, aspect_ratio: '1:1' })).sent.map(({ n }) => n)).toEqual([3])
  const { sent, json, headers } = await paint(google, { n: 3 })
  expect(sent.map(({ generationConfig }) => generationConfig.candidateCount)).toEqual([undefined, undefined, undefined])
  expect([json.data.length, headers.get('x-plantain-images')]).toEqual([3, '3/3'])
})

test('what came is returned, with how much of it; where all failed, what the caller can act on', async () => {
  const order = (kinds: readonly ('refusal' | 'ok' | 'server-error')[]) => {
    google.fake.reset()
    for (const kind of kinds) google.fake.answerNext(kind === 'server-error' ? { kind, status: 500 } : { kind })
  }
  const three = (body: object = {}) =>
    ask(google.gateway, '/v1/images/generations', { prompt: 'A kite', n: 3, ...body })
  order(['ok', 'refusal', 'ok'])
  const some = await three()
  expect([some.status, some.json.data.length, some.headers.get('x-plantain-images')]).toEqual([200, 2, '2/3'])
  order(['server-error', 'refusal', 'server-error'])
  const none = await three()
  expect([none.status, none.json.error.code]).toEqual([400, 'moderation_blocked'])
})

test('an answer with more pictures than asked for is passed on whole', async () => {
  openai.fake.reset()
  openai.fake.answerNext({ kind: 'ok', images: 3 })
  const body = { model: 'gpt-image-2', prompt: 'A kite', aspect_ratio: '1:1' }
  expect((await ask(openai.gateway, '/v1/images/generations', body)).json.data).toHaveLength(3)
})

test.each([1, 2, 4, 10])('%i pictures are as many calls side by side', async n => {
  const { status, json: answer, headers, line } = await askOpenai(gateway, { n })
  expect(status).toBe(200)
  expect(answer.data).toHaveLength(n)
  expect(upstream.seen).toHaveLength(n)
  for (const { body } of upstream.seen) expect(body.toString()).not.toMatch(/candidateCount/)
  expect(headers.get('x-plantain-images')).toBe(n === 1 ? null : `${n}/${n}`)
  expect(headers.get('x-plantain-attempts')).toBe(String(n))
  expect(line).toMatchObject({ images: n, attempts: n })
})

test('the calls run at the same time', async () => {
  let [running, most] = [0, 0]
  upstream.script = async (request, response) => {
    most = Math.max(most, ++running)
    await new Promise(resolve => setTimeout(resolve, 30))
    running -= 1
    return answerWith('answers/tiny-picture.json')(request, response)
  }
  expect((await askOpenai(gateway, { n: 5 })).status).toBe(200)
  expect(most).toBe(5)
})

test('usage is the sum of all calls', async () => {
  upstream.script = answerWith('usage/split.json')
  const { json: answer } = await askOpenai(gateway, { n: 3 })
  expect(answer.usage).toEqual({
    total_tokens: 4674,
    input_tokens: 804,
    output_tokens: 3870,
    input_tokens_details: { text_tokens: 30, image_tokens: 774 },
    output_tokens_details: { text_tokens: 0, image_tokens: 3870 },
  })
})

test.each([
  ['a refusal', 'refusals/image-safety.json', 200, 400, 'moderation_blocked'],
  ['a limit', 'errors/quota-retry-whole.json', 429, 429, 'rate_limit_exceeded'],
  ['an error in the request', 'errors/bad-size.json', 400, 400, null],
])(
  'when all fail, %s is told before failures the caller can do nothing about',
  async (_what, name, status, told, code) => {
    for (const place of [0, 1, 2, 3]) {
      upstream.seen.length = 0
      upstream.script = (request, response) => {
        const others = [answerWith('errors/internal.json', 500), answerWith('errors/key-reported-leaked.json', 403)]
        const turn = upstream.seen.length - 1
        const other = others[turn % 2] ?? json({}, 500)
        return (turn === place ? answerWith(name, status) : other)(request, response)
      }
      const answer = await askOpenai(gateway, { n: 4 })
      expect(answer).toMatchObject({ status: told, json: { error: { code } } })
    }
  },
)

test('candidateCount above 1 is calls side by side, merged as candidates', async () => {
  const { json, sent } = await generate(google, 'gemini-3.1-flash-image', { generationConfig: { candidateCount: 3 } })
  expect([json.candidates.length, sent.length]).toEqual([3, 3])
})
