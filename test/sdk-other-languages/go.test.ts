/** Programs in Go, with `openai-go` (its third and its first major version) and `genai`, against the running product. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectColours, expectPicture, green, magenta } from '../sdk/setup.ts'
import { testChat } from './chats.contract.ts'
import { type GenaiFacts, testGenai } from './genai.contract.ts'
import { type OpenaiFacts, type Program, testOpenai } from './openai.contract.ts'
import { openWorkshop, type Workshop } from './programs.ts'
import { buildGo, goModule, has } from './tools.ts'

interface V1Facts {
  readonly size: string
  readonly tokens: number
  readonly streamed: readonly string[]
  readonly error: { readonly status: number; readonly code: string }
}

describe.skipIf(!(await has('go')))('Go', () => {
  let built: string
  let workshop: Workshop
  beforeAll(async () => {
    built = await buildGo(goModule)
  })
  afterAll(() => rm(built, { recursive: true }))

  /** Each program gets a gateway and a folder of its own. */
  async function runProgram<Facts>(name: string): Promise<Program<Facts>> {
    workshop = await openWorkshop()
    return { facts: (await workshop.run(join(built, name))) as Facts, file: workshop.file }
  }

  describe('openai-go', () => {
    let program: Program<OpenaiFacts>
    beforeAll(async () => {
      program = await runProgram('openai')
    })
    afterAll(() => workshop.close())

    testOpenai(() => program)
  })

  describe('openai-go, first version', () => {
    let program: Program<V1Facts>
    beforeAll(async () => {
      program = await runProgram('openai-v1')
    })
    afterAll(() => workshop.close())

    test('makes a picture and edits two', async () => {
      await expectPicture(await program.file('kite.jpg'), { format: 'jpeg', size: '688x384' })
      const collage = await program.file('collage.jpg')
      await expectPicture(collage, { format: 'jpeg', size: '512x512' })
      await expectColours(collage, magenta, green)
      expect(program.facts.size).toBe('688x384')
      expect(program.facts.tokens).toBeGreaterThan(747)
    })

    test('takes an address and fetches it', async () => {
      await expectPicture(await program.file('fetched.jpg'), { format: 'jpeg', size: '512x512' })
    })

    test('streams, and reads past heartbeats', () => {
      expect(program.facts.streamed).toEqual(['image_generation.partial_image', 'image_generation.completed'])
    })

    test('is told of a wrong key', () => {
      expect(program.facts.error).toEqual({ status: 401, code: 'invalid_api_key' })
    })
  })

  describe('genai', () => {
    let program: Program<GenaiFacts>
    beforeAll(async () => {
      program = await runProgram('genai')
    })
    afterAll(() => workshop.close())

    testGenai(() => program)
  })

  describe('genai, chatting on an OpenAI upstream', () => {
    testChat((shop, model) => shop.run(join(built, 'genai-chat'), model))
  })
})
