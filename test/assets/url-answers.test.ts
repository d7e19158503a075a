/** Answers by URL, from the request to the picture: real files, real HTTP. */
import { readdirSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { askOpenai } from '../helpers/callers.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

let upstream: ScriptedUpstream
let gateway: TestGateway
beforeAll(async () => {
  upstream = await startUpstream(answerWith('answers/image-only-jpeg.json'))
  gateway = await startGateway({ upstream: upstream.url })
})
afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

test('x', async () => {
  const { status, json } = await askOpenai(gateway, { response_format: 'url' })
  console.log(status, JSON.stringify(json), readdirSync(gateway.assetsDir, { recursive: true }))
  const answer = await fetch(json.data[0].url)
  console.log(answer.status, answer.headers, (await answer.arrayBuffer()).byteLength)
})
