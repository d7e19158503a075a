/** Programs in Python with libraries that stand on the SDKs, or in their stead: LiteLLM and LangChain, against the running product. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { see } from '../helpers/pictures.ts'
import { expectColours, expectPicture, green, magenta } from '../sdk/setup.ts'
import { openWorkshop, type Workshop } from './programs.ts'
import { has, preparePython } from './tools.ts'

interface LitellmFacts {
  readonly tokens: number
  readonly google_tokens: number
  readonly errors: Readonly<Record<string, { class: string; status: number; message: string }>>
}

describe.skipIf(!(await has('python')))('Python', () => {
  let interpreter: string
  beforeAll(async () => {
    interpreter = await preparePython('clients')
  })
  const source = (name: string) => fileURLToPath(new URL(`python/${name}.py`, import.meta.url))

  describe('LangChain’s wrapper of DALL-E, which asks for no address and reads one', () => {
    let workshop: Workshop
    let types: Readonly<Record<string, string>>
    beforeAll(async () => {
      workshop = await openWorkshop()
      types = (await workshop.run(interpreter, source('langchain_images'))) as Readonly<Record<string, string>>
    })
    afterAll(() => workshop.close())

    test('makes a picture with its defaults, and two with others', async () => {
      await expectPicture(await workshop.file('kite.jpg'), { format: 'jpeg', size: '1024x1024' })
      for (const name of ['wide-0.jpg', 'wide-1.jpg']) {
        await expectPicture(await workshop.file(name), { format: 'jpeg', size: '1376x768' })
      }
      expect(types).toEqual({ 'kite.jpg': 'image/jpeg', 'wide-0.jpg': 'image/jpeg', 'wide-1.jpg': 'image/jpeg' })
    })
  })

  describe('LiteLLM', () => {
    let workshop: Workshop
    let facts: LitellmFacts
    beforeAll(async () => {
      workshop = await openWorkshop()
      facts = (await workshop.run(interpreter, source('litellm_images'))) as LitellmFacts
    })
    afterAll(() => workshop.close())

    test('makes two pictures at once and edits one and two, by OpenAI’s routes', async () => {
      for (const name of ['kite-1.jpg', 'kite-2.jpg']) {
        await expectPicture(await workshop.file(name), { format: 'jpeg', size: '512x512' })
      }
      expect(facts.tokens).toBeGreaterThan(2 * 747)
      await expectColours(await workshop.file('framed.jpg'), magenta)
      await expectColours(await workshop.file('collage.jpg'), magenta, green)
    })

    test('makes a picture and edits one by Google’s routes', async () => {
      // No size was asked for: any will do.
      expect(await see(await workshop.file('google.jpg'))).toMatchObject({ format: 'jpeg' })
      expect(facts.google_tokens).toBeGreaterThanOrEqual(1120)
      const framed = await workshop.file('google-framed.jpg')
      await expectPicture(framed, { format: 'jpeg', size: '1376x768' })
      await expectColours(framed, magenta)
    })

    test('makes two pictures in Imagen’s form, by a name that does not say Gemini', async () => {
      for (const name of ['imagen-1.jpg', 'imagen-2.jpg']) {
        await expectPicture(await workshop.file(name), { format: 'jpeg', size: '1376x768' })
      }
    })

    test.for([
      ['bad ratio', { class: 'BadRequestError', status: 400, message: expect.stringContaining('16:9') }],
      ['refusal', { class: 'BadRequestError', status: 400, message: expect.stringContaining('IMAGE_SAFETY') }],
      ['wrong key', { class: 'AuthenticationError', status: 401 }],
      ['quota', { class: 'RateLimitError', status: 429 }],
      ['quota, Google’s form', { class: 'RateLimitError', status: 429 }],
    ] as const)('raises its own exceptions: %s', ([name, raised]) => {
      expect(facts.errors[name]).toMatchObject(raised)
    })
  })
})
