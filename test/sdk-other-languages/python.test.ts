/** Programs in Python, with `openai` and `google-genai`, against the running product. */
import { fileURLToPath } from 'node:url'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { expectPicture } from '../sdk/setup.ts'
import { testChat } from './chats.contract.ts'
import { type GenaiFacts, testGenai } from './genai.contract.ts'
import { type OpenaiFacts, type Program, testOpenai } from './openai.contract.ts'
import { openWorkshop, type Workshop } from './programs.ts'
import { has, preparePython } from './tools.ts'

interface Raised {
  readonly errors: Readonly<Record<string, { readonly class: string; readonly has_id?: boolean }>>
}

type Facts<Common> = Common & Raised & { readonly request_id: string; readonly ignored: string }

describe.skipIf(!(await has('python')))('Python', () => {
  let interpreter: string
  beforeAll(async () => {
    interpreter = await preparePython('sdks')
  })

  /** Runs the two programs for an SDK, and puts what they print together. */
  async function runBoth<Common>(workshop: Workshop, sdk: string): Promise<Program<Facts<Common>>> {
    const source = (name: string) => fileURLToPath(new URL(`python/${name}.py`, import.meta.url))
    const facts = await workshop.run(interpreter, source(`${sdk}_images`))
    const errors = await workshop.run(interpreter, source(`${sdk}_errors`))
    return { facts: { ...(facts as object), errors } as Facts<Common>, file: workshop.file }
  }

  describe('openai', () => {
    let workshop: Workshop
    let program: Program<Facts<OpenaiFacts>>
    beforeAll(async () => {
      workshop = await openWorkshop()
      program = await runBoth(workshop, 'openai')
    })
    afterAll(() => workshop.close())

    testOpenai(() => program)

    test('makes pictures at the same time, and by a deployment’s name as Azure has them', async () => {
      for (const name of ['dawn.jpg', 'dusk.jpg', 'glacier.jpg']) {
        await expectPicture(await program.file(name), { format: 'jpeg', size: '512x512' })
      }
    })

    test('reads the headers: the request’s id, and parameters that were left out', async () => {
      expect(program.facts.request_id).toMatch(/^req_/)
      expect(program.facts.ignored).toBe('quality')
      await expectPicture(await program.file('meadow.png'), { format: 'png', size: '1024x1024' })
    })

    test('catches exceptions by their class', () => {
      const classes = Object.entries(program.facts.errors).map(([name, raised]) => [name, raised.class])
      expect(Object.fromEntries(classes)).toEqual({
        'bad ratio': 'BadRequestError',
        'no picture': 'BadRequestError',
        refusal: 'BadRequestError',
        'wrong key': 'AuthenticationError',
        'wrong key for a list': 'AuthenticationError',
        'unknown model': 'NotFoundError',
        'used-up quota': 'RateLimitError',
        'failed upstream': 'InternalServerError',
      })
      expect(Object.values(program.facts.errors).every(raised => raised.has_id)).toBe(true)
    })
  })

  describe('google-genai', () => {
    let workshop: Workshop
    let program: Program<Facts<GenaiFacts>>
    beforeAll(async () => {
      workshop = await openWorkshop()
      program = await runBoth(workshop, 'genai')
    })
    afterAll(() => workshop.close())

    testGenai(() => program)

    test('makes pictures at the same time, and on v1beta', async () => {
      for (const name of ['dawn.jpg', 'dusk.jpg']) {
        await expectPicture(await program.file(name), { format: 'jpeg', size: '512x512' })
      }
      await expectPicture(await program.file('v1beta.png'), { format: 'png', size: '1024x1024' })
    })

    test('catches exceptions by their class', () => {
      const classes = Object.entries(program.facts.errors).map(([name, raised]) => [name, raised.class])
      expect(Object.fromEntries(classes)).toEqual({
        'bad ratio': 'ClientError',
        'bad ratio in a stream': 'ClientError',
        'wrong key': 'ClientError',
        'wrong key for a list': 'ClientError',
        'unknown model': 'ClientError',
        quota: 'ClientError',
        'failed upstream': 'ServerError',
      })
    })
  })

  describe('google-genai, chatting on an OpenAI upstream', () => {
    const source = fileURLToPath(new URL('python/genai_chat.py', import.meta.url))
    testChat((workshop, model) => workshop.run(interpreter, source, model))
  })
})
