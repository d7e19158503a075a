/** Methods of Google's that not every vendor of its language has. */
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { ask, askGemini } from '../helpers/callers.ts'
import { googleAt, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

let zenlayer: ScriptedUpstream
let alone: TestGateway
/** Behind a Google that can't be reached. */
let second: TestGateway

beforeAll(async () => {
  zenlayer = await startUpstream((request, response) => {
    const answer = request.url.endsWith(':generateContent')
      ? answerWith('answers/tiny-picture.json')
      : json({ error: { code: 404, message: 'There is no such method.', status: 'NOT_FOUND' } }, 404)
    return answer(request, response)
  })
  const own = googleAt(zenlayer.url, { name: 'zenlayer', dialect: 'zenlayer' })
  const nobody = await startUpstream(() => {})
  await nobody.close()
  alone = await startGateway({ upstream: zenlayer.url, config: { upstreams: [own] } })
  second = await startGateway({
    upstream: zenlayer.url,
    config: { upstreams: [googleAt(nobody.url), own] },
  })
})
afterAll(async () => {
  await alone.close()
  await second.close()
  await zenlayer.close()
})

test('a vendor that counts no tokens is not asked to: the count is an estimate', async () => {
  zenlayer.seen.length = 0
  const { status, json: answer } = await askGemini(alone, 'nano-banana-2', 'countTokens')
  expect([status, answer]).toEqual([
    200,
    { totalTokens: 3, promptTokensDetails: [{ modality: 'TEXT', tokenCount: 3 }] },
  ])
  expect(zenlayer.seen).toHaveLength(0)
})

test('a call goes on to the next vendor, a stream as a whole answer where that has no streams', async () => {
  for (const method of ['generateContent', 'streamGenerateContent', 'streamGenerateContent?alt=sse']) {
    zenlayer.seen.length = 0
    const { status, line } = await askGemini(second, 'nano-banana-2', method)
    expect([status, line.upstream, line.attempts, line.images]).toEqual([200, 'zenlayer', 2, 1])
    expect(zenlayer.seen.map(({ url }) => url)).toEqual([expect.stringMatching(/:generateContent$/)])
  }
})

test('nobody’s estimate stands in for the count of one who is away', async () => {
  zenlayer.seen.length = 0
  const { status, json: answer, line } = await askGemini(second, 'nano-banana-2', 'countTokens')
  expect([status, answer.error.status, line.upstream]).toEqual([503, 'UNAVAILABLE', 'google'])
  expect(zenlayer.seen).toHaveLength(0)
})

test('a vendor that reads no addresses is given none: pictures are fetched for it, as far as they may be', async () => {
  const signed = `https://10.0.0.1/cat.png?signature=${'a'.repeat(2000)}`
  for (const fileUri of ['https://10.0.0.1/cat.png', 'gs://bucket/cat.png', signed]) {
    zenlayer.seen.length = 0
    const contents = [{ role: 'user', parts: [{ text: 'Paint it red' }, { fileData: { fileUri } }] }]
    const { status, json: answer } = await ask(alone, '/v1beta/models/nano-banana-2:generateContent', { contents })
    const { field } = answer.error.details[0].fieldViolations[0]
    expect([status, field]).toEqual([400, 'contents[0].parts[1].file_data.file_uri'])
    expect(zenlayer.seen).toHaveLength(0)
  }
})
