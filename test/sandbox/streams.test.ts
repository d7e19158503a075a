/** streamGenerateContent: events or a growing array, a picture always whole in one piece. */
import { expect, test } from 'vitest'
import { type Answer, ask, partsOf, picturesOf, request, startSandbox } from './setup.ts'

const thoughtful = request('a hill', {
  responseModalities: ['TEXT', 'IMAGE'],
  thinkingConfig: { includeThoughts: true },
})

function expectRightOrder(chunks: readonly Answer[]): void {
  const shapes = chunks.map(chunk => {
    const [part] = partsOf(chunk)
    return `${part?.inlineData ? 'image' : 'text'}${part?.thought ? ' thought' : ''}`
  })
  expect(shapes).toEqual(['text thought', 'text', 'image thought', 'image', 'text'])
  expect(chunks.map(({ candidates }) => candidates?.[0]?.finishReason)).toEqual([...Array(4).fill(undefined), 'STOP'])
  expect(chunks.every(({ usageMetadata }) => usageMetadata.promptTokenCount === 2)).toBe(true)
  expect(chunks.at(-1)?.usageMetadata.candidatesTokenCount).toBe(753)
  expect(new Set(chunks.map(({ responseId }) => responseId)).size).toBe(1)
}

test('with alt=sse each chunk is one data line and a blank one', async () => {
  const url = await startSandbox()
  const response = await ask(url, thoughtful, { method: 'streamGenerateContent', query: '?alt=sse' })
  expect(response.headers.get('content-type')).toBe('text/event-stream')
  const text = await response.text()
  expect(text.endsWith('\r\n\r\n')).toBe(true)
  const events = text.split('\r\n\r\n').slice(0, -1)
  expect(events.every(event => /^data: \{[^\n]*\}$/.test(event))).toBe(true)
  expectRightOrder(events.map(event => JSON.parse(event.slice('data: '.length))))
})

test('without alt=sse the chunks are a JSON array', async () => {
  const url = await startSandbox()
  const response = await ask(url, thoughtful, { method: 'streamGenerateContent' })
  expect(response.headers.get('content-type')).toBe('application/json; charset=UTF-8')
  expectRightOrder((await response.json()) as Answer[])
})

test('what comes first is there before the picture is painted', async () => {
  const order: string[] = []
  let release = () => {}
  const held = new Promise<void>(resolve => {
    release = resolve
  })
  const paint = async () => {
    await held
    order.push('painted')
    return Buffer.from('picture')
  }
  const url = await startSandbox({ painter: { look: async () => null, paint } })
  const body = request('a hill', { responseModalities: ['TEXT', 'IMAGE'] })
  const response = await ask(url, body, { method: 'streamGenerateContent', query: '?alt=sse' })
  for await (const piece of response.body ?? []) {
    order.push(Buffer.from(piece).includes('Here is your picture') ? 'text' : 'more')
    release()
  }
  expect(order.slice(0, 2)).toEqual(['text', 'painted'])
})

test('the streamed picture is the same as the one that comes whole', async () => {
  const url = await startSandbox()
  const [streamed] = (await (await ask(url, request('a hill'), { method: 'streamGenerateContent' })).json()) as Answer[]
  const whole = (await (await ask(url, request('a hill'))).json()) as Answer
  expect(streamed && picturesOf(streamed)).toEqual(picturesOf(whole))
})

test('what is refused before the first chunk is a proper error: bare beside events, in a list beside an array', async () => {
  const url = await startSandbox()
  const broken = { contents: [] }
  const beside = await ask(url, broken, { method: 'streamGenerateContent', query: '?alt=sse' })
  expect([beside.status, await beside.json()]).toMatchObject([400, { error: { code: 400 } }])
  const within = await ask(url, broken, { method: 'streamGenerateContent' })
  expect([within.status, await within.json()]).toMatchObject([400, [{ error: { code: 400 } }]])
})

test('what fails after the first chunk is told in the stream', async () => {
  const faults: unknown[] = []
  const failing = { look: async () => null, paint: () => Promise.reject(new Error('out of paint')) }
  const url = await startSandbox({ painter: failing, onFault: error => faults.push(error) })
  const body = request('a hill', { responseModalities: ['TEXT', 'IMAGE'] })
  const events = await (await ask(url, body, { method: 'streamGenerateContent', query: '?alt=sse' })).text()
  expect(events).toContain(
    'data: {"error":{"code":500,"message":"Internal error encountered.","status":"INTERNAL"}}\r\n\r\n',
  )
  const array = await (await ask(url, body, { method: 'streamGenerateContent' })).json()
  expect(array).toMatchObject([{ candidates: [{}] }, { error: { code: 500 } }])
  expect(faults).toMatchObject([{ message: 'out of paint' }, { message: 'out of paint' }])
})
