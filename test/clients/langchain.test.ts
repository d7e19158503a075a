/** LangChain's tool for DALL-E in JavaScript, as people use it, against a running gateway. */
import { DallEAPIWrapper } from '@langchain/openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestGateway } from '../helpers/gateway.ts'
import { expectPicture, fromBase64, startPaintingGateway } from '../sdk/setup.ts'

let gateway: TestGateway
beforeAll(async () => {
  gateway = await startPaintingGateway()
})
afterAll(() => gateway.close())

const tool = (fields: ConstructorParameters<typeof DallEAPIWrapper>[0] = {}) =>
  new DallEAPIWrapper({ apiKey: 'any', baseUrl: `${gateway.url}/v1`, ...fields })

const fetched = async (url: string) => new Uint8Array(await (await fetch(url)).arrayBuffer())

test('gives the address of a picture, with its defaults', async () => {
  const address: string = await tool().invoke('A red kite')

  await expectPicture(await fetched(address), { format: 'jpeg', size: '1024x1024' })
})

test('gives several addresses', async () => {
  const answer: unknown = await tool({ n: 2, model: 'nano-banana-2', size: '512x512' as '1024x1024' }).invoke(
    'A red kite',
  )

  const addresses = (answer as { image_url: string }[]).map(({ image_url }) => image_url)
  expect(new Set(addresses).size).toBe(2)
  for (const address of addresses) {
    await expectPicture(await fetched(address), { format: 'jpeg', size: '512x512' })
  }
})

test('gives a picture in base64', async () => {
  const answer: string = await tool({ dallEResponseFormat: 'b64_json' }).invoke('A red kite')

  await expectPicture(fromBase64(answer), { format: 'jpeg', size: '1024x1024' })
})
