/** A law: two gateways back to back, with the other protocol between them, lose nothing that both protocols can say. */
import fc from 'fast-check'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import type { FakeAnswer, FakeUpstream } from '../upstreams/contract.ts'
import { type Heard, hearGoogle, hearOpenai } from './heard.ts'
import { type Sent, type UpstreamKind, upstreams } from './upstreams.ts'
import { type File, references } from './wishes.ts'

const runs = 20
let files: readonly File[]
beforeAll(async () => {
  files = await references()
})

interface Chain {
  /** One gateway, then the vendor. */
  readonly single: TestGateway
  /** Two, with the other protocol between them, then the same vendor. */
  readonly double: TestGateway
  readonly fake: FakeUpstream
  close(): Promise<void>
}

/** The models are the vendor's; the gateway in between is told that it has them too. */
async function startChain(kind: UpstreamKind, between: 'openai' | 'gemini'): Promise<Chain> {
  const fake = await kind.start()
  const single = await startGateway({ upstream: fake.baseUrl, upstreamConfig: kind.configOf(fake, '') })
  const through = {
    name: 'through',
    protocol: between,
    dialect: between === 'openai' ? 'openai' : 'google',
    baseUrl: between === 'openai' ? `${single.url}/v1` : single.url,
    models: new Map([[kind.model, kind.model]]),
  } as const
  const double = await startGateway({ upstream: single.url, upstreamConfig: through })
  return {
    single,
    double,
    fake,
    close: async () => {
      for (const each of [double, single, fake]) await each.close()
    },
  }
}

const kindOf = (name: string): UpstreamKind => {
  const kind = upstreams.find(one => one.name === name)
  if (!kind) throw new Error(`There is no ${name}.`)
  return kind
}

interface Outcome {
  readonly heard: Heard
  readonly sent: readonly Sent[]
  readonly painted: readonly string[]
  readonly wait: string | null
}

/** What becomes of one request at one end of the chain. */
async function outcomeAt(gateway: TestGateway, { fake }: Chain, kind: UpstreamKind, call: Call): Promise<Outcome> {
  fake.reset()
  if (call.order) fake.answerNext(call.order)
  const response = await gateway.post(call.path, call.body)
  const hear = call.path.startsWith('/v1beta') ? hearGoogle : hearOpenai
  const heard = hear(response.status, response.headers.get('content-type') ?? '', await response.text())
  expect(fake.problems).toEqual([])
  return {
    heard,
    sent: fake.requests.map(kind.sent),
    painted: fake.pictures.map(({ sha256 }) => sha256),
    wait: response.headers.get('retry-after-ms') ?? response.headers.get('retry-after'),
  }
}

interface Call {
  readonly path: string
  readonly body: object
  readonly order?: FakeAnswer
}

/** All but the pictures, which are painted anew for each; of calls side by side only how many there are. */
function expectSame(one: Outcome, two: Outcome): void {
  expect(two.sent.map(withoutCount)).toEqual(spread(one.sent).map(withoutCount))
  const { pictures: _one, ...heardOnce } = one.heard
  const { pictures: _two, ...heardTwice } = two.heard
  expect(heardTwice).toEqual(heardOnce)
  expect(two.heard.pictures.length).toBe(one.heard.pictures.length)
  for (const { heard, painted } of [one, two]) expect(heard.pictures.toSorted()).toEqual(painted.toSorted())
  expect(two.wait).toBe(one.wait)
}

/** One call for three pictures asks for what three calls ask for. */
const spread = (sent: readonly Sent[]) => sent.flatMap(call => Array.from({ length: call.count }, () => call))
const withoutCount = ({ count: _, ...sent }: Sent) => sent

const text = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 60 }).filter(said => said.trim() !== '')
const some = fc.array(fc.nat(2), { maxLength: 4 })
const count = fc.constantFrom(1, 1, 1, 3)
const ratios = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9'] as const
const ratio = fc.constantFrom(...ratios)

describe('OpenAI’s form, Google’s in between, OpenAI’s models', () => {
  const kind = kindOf('openai')
  let chain: Chain
  beforeAll(async () => {
    chain = await startChain(kind, 'gemini')
  })
  afterAll(() => chain.close())
  beforeEach(() => chain.fake.reset())

  // 4K of most ratios is more than these models paint: each gateway would bring it within their bounds by itself.
  const shape = fc.oneof(
    fc.constant({}),
    fc.record({ aspect_ratio: ratio, image_size: fc.constantFrom('1K', '2K') }, { noNullPrototype: true }),
    fc.constantFrom('1376x768', '1024x1024', '848x1264', '2048x2048', '1792x2400').map(size => ({ size })),
  )
  const url = (number: number) => {
    const file = files[number]
    return `data:${file?.type};base64,${file?.bytes.toString('base64')}`
  }

  test('every request arrives as over one gateway, and its answer comes back', async () => {
    await fc.assert(
      fc.asyncProperty(text, some, count, shape, async (prompt, images, n, size) => {
        const pictures = images.length > 0 ? { images: images.map(number => ({ image_url: url(number) })) } : {}
        // A word of nobody else's keeps the single gateway from passing the call on as it came.
        const body = { model: kind.model, prompt, n, aspect_ratio: 'auto', ...size, ...pictures }
        const path = `/v1/images/${images.length > 0 ? 'edits' : 'generations'}`
        const [once, twice] = [
          await outcomeAt(chain.single, chain, kind, { path, body }),
          await outcomeAt(chain.double, chain, kind, { path, body }),
        ]
        // Whole answers of several calls tell their sum.
        if (n === 1) return expectSame(once, twice)
        expectSame({ ...once, heard: withoutUsage(once) }, { ...twice, heard: withoutUsage(twice) })
      }),
      { numRuns: runs },
    )
  })

  const kite = { path: '/v1/images/generations', body: { model: kind.model, prompt: 'A kite', aspect_ratio: '1:1' } }
  test.each(failures())('%j is told as over one gateway', async order => {
    const call = { ...kite, order }
    expectSame(await outcomeAt(chain.single, chain, kind, call), await outcomeAt(chain.double, chain, kind, call))
  })

  test.each([{ kind: 'unauthorized' }, { kind: 'server-error', status: 500 }] as const)(
    '%j is told as what Google has a word for, 503',
    async order => {
      const { heard } = await outcomeAt(chain.double, chain, kind, { ...kite, order })
      expect([heard.status, heard.reason]).toEqual([503, 'overloaded'])
    },
  )
})

describe('Google’s form, OpenAI’s in between, Google’s models', () => {
  const kind = kindOf('google')
  let chain: Chain
  beforeAll(async () => {
    chain = await startChain(kind, 'openai')
  })
  afterAll(() => chain.close())
  beforeEach(() => chain.fake.reset())

  const imageConfig = fc.record(
    { aspectRatio: fc.constantFrom('16:9', '1:1'), imageSize: fc.constantFrom('512', '1K') },
    { noNullPrototype: true },
  )
  const path = `/v1beta/models/${kind.model}:generateContent`
  const inline = (number: number) => {
    const file = files[number]
    return { inlineData: { mimeType: file?.type, data: file?.bytes.toString('base64') } }
  }
  const config = (more: object) => ({ generationConfig: { responseModalities: ['IMAGE'], ...more } })

  test('every request arrives as over one gateway, and its answer comes back', async () => {
    await fc.assert(
      fc.asyncProperty(text, some, count, imageConfig, async (prompt, images, candidateCount, image) => {
        const parts = [{ text: prompt }, ...images.map(inline)]
        const many = candidateCount > 1 ? { candidateCount } : {}
        const body = { contents: [{ role: 'user', parts }], ...config({ imageConfig: image, ...many }) }
        const call = { path, body }
        expectSame(await outcomeAt(chain.single, chain, kind, call), await outcomeAt(chain.double, chain, kind, call))
      }),
      { numRuns: runs },
    )
  })

  const allShapes = [...ratios, '1:4', '4:1', '1:8', '8:1'].flatMap(aspectRatio =>
    ['512', '1K', '2K', '4K'].map(imageSize => ({ aspectRatio, imageSize })),
  )
  test('every ratio at every size arrives as itself', async () => {
    for (const image of allShapes) {
      const body = { contents: [{ role: 'user', parts: [{ text: 'A kite' }] }], ...config({ imageConfig: image }) }
      // Painting them all would take its time.
      const { sent } = await outcomeAt(chain.double, chain, kind, { path, body, order: { kind: 'text-only' } })
      expect(sent.map(({ shape }) => shape)).toEqual([`${image.aspectRatio} ${image.imageSize}`])
    }
  })

  test('every word and every picture of a chat arrives, in order', async () => {
    const turn = (role: 'user' | 'model') =>
      fc.tuple(text, some).map(([said, images]) => ({ role, said, images: images.slice(0, 2) }))
    const chat = fc
      .tuple(fc.array(fc.tuple(turn('user'), turn('model')), { maxLength: 2 }), turn('user'))
      .map(([before, last]) => [...before.flat(), last])
    await fc.assert(
      fc.asyncProperty(chat, text, async (turns, system) => {
        const contents = turns.map(({ role, said, images }) => ({
          role,
          parts: [{ text: said }, ...images.map(inline)],
        }))
        const body = {
          contents,
          systemInstruction: { parts: [{ text: system }] },
          ...config({ imageConfig: { aspectRatio: '1:1', imageSize: '1K' } }),
        }
        const { sent, heard, painted } = await outcomeAt(chain.double, chain, kind, { path, body })
        const [only] = sent
        expect(only?.pictures).toEqual(turns.flatMap(({ images }) => images.map(number => files[number]?.sha256)))
        let at = 0
        for (const words of [system, ...turns.map(({ said }) => said)]) {
          const found = only?.prompt.indexOf(words, at) ?? -1
          expect(found).toBeGreaterThanOrEqual(at)
          at = found + words.length
        }
        expect(heard.pictures).toEqual(painted)
      }),
      { numRuns: runs },
    )
  })

  test.each([
    ...failures(),
    { kind: 'unauthorized' },
    { kind: 'server-error', status: 500 },
    { kind: 'refusal', stage: 'input', reason: 'PROHIBITED_CONTENT' },
    { kind: 'refusal', stage: 'output', reason: 'IMAGE_RECITATION' },
    { kind: 'rate-limited', waitSeconds: 34.282 },
  ] as const)('%j is told as over one gateway', async order => {
    const body = {
      contents: [{ role: 'user', parts: [{ text: 'A kite' }] }],
      ...config({ imageConfig: { aspectRatio: '1:1', imageSize: '1K' } }),
    }
    const [once, twice] = [
      await outcomeAt(chain.single, chain, kind, { path, body, order }),
      await outcomeAt(chain.double, chain, kind, { path, body, order }),
    ]
    // An error of OpenAI's form has no place for what a refusal cost.
    expectSame({ ...once, heard: withoutUsage(once) }, { ...twice, heard: withoutUsage(twice) })
  })
})

test('an answer without a picture is one over two gateways too', async () => {
  for (const [name, between] of [
    ['openai', 'gemini'],
    ['google', 'openai'],
  ] as const) {
    const kind = kindOf(name)
    const chain = await startChain(kind, between)
    const call =
      name === 'openai'
        ? { path: '/v1/images/generations', body: { model: kind.model, prompt: 'A kite', aspect_ratio: '1:1' } }
        : {
            path: `/v1beta/models/${kind.model}:generateContent`,
            body: {
              contents: [{ role: 'user', parts: [{ text: 'A kite' }] }],
              generationConfig: { imageConfig: { aspectRatio: '1:1', imageSize: '1K' } },
            },
          }
    const { heard } = await outcomeAt(chain.double, chain, kind, { ...call, order: { kind: 'empty' } })
    expect([heard.status, heard.reason]).toEqual(name === 'openai' ? [400, 'no_image_generated'] : [200, 'NO_IMAGE'])
    await chain.close()
  }
})

const withoutUsage = ({ heard }: Outcome): Heard => ({ ...heard, usage: null })

function failures(): readonly FakeAnswer[] {
  return [
    { kind: 'refusal', stage: 'input' },
    { kind: 'refusal', stage: 'output' },
    { kind: 'rate-limited' },
    { kind: 'rate-limited', waitSeconds: null },
    { kind: 'quota-exhausted' },
    { kind: 'server-error', status: 503 },
  ]
}
