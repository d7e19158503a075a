/** OpenAI's SDK for JavaScript with answers by address, as people use it, against a running gateway. */
import OpenAI, { toFile } from 'openai'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { TestGateway } from '../helpers/gateway.ts'
import { expectColours, expectPicture, green, pictureOf, startPaintingGateway } from './setup.ts'

let gateway: TestGateway
let client: OpenAI
beforeAll(async () => {
  gateway = await startPaintingGateway()
  client = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: 'any', maxRetries: 0 })
})
afterAll(() => gateway.close())

async function fetched({ data = [] }: OpenAI.ImagesResponse): Promise<readonly Uint8Array[]> {
  expect(data.every(({ b64_json }) => b64_json === undefined)).toBe(true)
  return Promise.all(data.map(async ({ url = '' }) => new Uint8Array(await (await fetch(url)).arrayBuffer())))
}
const small = { model: 'nano-banana-2', prompt: 'A red kite', size: '512x512', response_format: 'url' } as const

test('every picture has an address, from which it can be fetched without a key', async () => {
  const answer = await client.images.generate({ ...small, n: 2 })

  const files = await fetched(answer)
  expect(files).toHaveLength(2)
  for (const file of files) await expectPicture(file, { format: 'jpeg', size: '512x512' })
  expect(answer).toMatchObject({ size: '512x512', output_format: 'jpeg' })
  expect(answer.usage?.output_tokens).toBeGreaterThanOrEqual(2 * 747)
})

test('an edited picture has an address too', async () => {
  const image = await toFile(await pictureOf(green), 'input.png')
  const [file = new Uint8Array()] = await fetched(await client.images.edit({ ...small, image }))

  await expectColours(file, green)
})

test('OpenAI’s old models answer with addresses where nothing is said', async () => {
  const { response_format: _, ...unsaid } = small
  const [file = new Uint8Array()] = await fetched(await client.images.generate({ ...unsaid, model: 'dall-e-2' }))

  await expectPicture(file, { format: 'jpeg', size: '512x512' })
})
