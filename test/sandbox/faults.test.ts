/** Faults that a prompt asks for. */
import { once } from 'node:events'
import { connect } from 'node:net'
import { expect, test } from 'vitest'
import { blockReasons, refusalReasons } from '../../src/sandbox/faults.ts'
import { type Answer, ask, partsOf, picturesOf, readAnswer, request, startSandbox } from './setup.ts'

test.for([400, 401, 403, 404, 429, 500, 503, 504])(
  '[sandbox status=%i] is that error, in its own words',
  async status => {
    const url = await startSandbox()
    const response = await ask(url, request(`a hill [sandbox status=${status}]`))
    const { error } = await readAnswer(response)
    expect([response.status, error?.code]).toEqual([status, status])
    expect(error?.status).toMatch(/^[A-Z_]+$/)
    expect(response.headers.has('retry-after')).toBe(false)
  },
)

test('a 429 says what ran out and how long to wait', async () => {
  const url = await startSandbox()
  const { error } = await readAnswer(await ask(url, request('[sandbox status=429 retry=1.5s] a hill')))
  expect(error?.message).toContain('You exceeded your current quota')
  expect(error?.message).toContain('Please retry in 1.5s.')
  expect(error?.details).toMatchObject([
    {
      '@type': 'type.googleapis.com/google.rpc.QuotaFailure',
      violations: [{ quotaId: expect.stringContaining('PerMinute') }],
    },
    { '@type': 'type.googleapis.com/google.rpc.Help' },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '1.5s' },
  ])
})

test('a daily quota and spent credits are other 429s', async () => {
  const url = await startSandbox()
  const daily = await readAnswer(await ask(url, request('[sandbox status=429 daily]')))
  expect(daily.error?.details).toMatchObject([{ violations: [{ quotaId: expect.stringContaining('PerDay') }] }, {}])
  const depleted = await readAnswer(await ask(url, request('[sandbox status=429 depleted]')))
  expect(depleted.error).toEqual({
    code: 429,
    status: 'RESOURCE_EXHAUSTED',
    message: expect.stringContaining('prepayment credits are depleted'),
  })
})

test.for(refusalReasons)('[sandbox refuse=%s] is a 200 without a picture', async reason => {
  const url = await startSandbox()
  const response = await ask(url, request(`a hill [sandbox refuse=${reason}]`))
  const answer = await readAnswer(response)
  expect(response.status).toBe(200)
  expect(answer.candidates).toMatchObject([{ finishReason: reason, index: 0 }])
  expect(partsOf(answer)).toEqual([])
  expect(answer.usageMetadata.totalTokenCount).toBe(answer.usageMetadata.promptTokenCount)
})

test.for(blockReasons)('[sandbox refuse=prompt:%s] blocks the prompt: no candidates at all', async reason => {
  const url = await startSandbox()
  const answer = await readAnswer(await ask(url, request(`a hill [sandbox refuse=prompt:${reason}]`)))
  expect(answer.promptFeedback).toEqual({ blockReason: reason })
  expect(answer).not.toHaveProperty('candidates')
})

test('[sandbox text-only] and [sandbox empty] end well, without a picture', async () => {
  const url = await startSandbox()
  const talk = await readAnswer(await ask(url, request('a hill [sandbox text-only]')))
  expect(talk.candidates?.[0]?.finishReason).toBe('STOP')
  expect(partsOf(talk)).toEqual([{ text: expect.stringMatching(/\w/) }])
  const empty = await readAnswer(await ask(url, request('a hill [sandbox empty]')))
  expect(empty.candidates).toEqual([{ content: { role: 'model' }, finishReason: 'STOP', index: 0 }])
})

test('[sandbox drafts=3] sends three pictures more, not marked as thoughts, the right one last', async () => {
  const url = await startSandbox()
  const plain = picturesOf(await readAnswer(await ask(url, request('a hill'))))
  const answer = await readAnswer(await ask(url, request('a hill [sandbox drafts=3]')))
  const pictures = picturesOf(answer)
  expect(partsOf(answer).some(({ thought }) => thought)).toBe(false)
  expect(new Set(pictures.map(file => file.toString('base64'))).size).toBe(4)
  expect(pictures.at(-1)).toEqual(plain[0])
})

test('[sandbox delay=300ms] waits first', async () => {
  const url = await startSandbox()
  const started = performance.now()
  await ask(url, request('[sandbox delay=300ms status=503]'))
  expect(performance.now() - started).toBeGreaterThan(295)
})

test('[sandbox slow=…] sends at that rate', async () => {
  const url = await startSandbox()
  const started = performance.now()
  const text = await (await ask(url, request('a hill [sandbox slow=4KB/s refuse=NO_IMAGE]'))).text()
  const leastMs = (Buffer.byteLength(text) / 4096) * 1000 * 0.9
  expect(performance.now() - started).toBeGreaterThan(leastMs)
  expect(JSON.parse(text)).toMatchObject({ candidates: [{}] })
})

test('[sandbox cut] promises a length, sends part of the picture and breaks the connection', async () => {
  const url = await startSandbox()
  const { port, hostname } = new URL(url)
  const socket = connect(Number(port), hostname)
  const body = JSON.stringify(request('a hill [sandbox cut]'))
  socket.write(
    `POST /v1beta/models/gemini-3.1-flash-image:generateContent?key=a HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`,
  )
  const pieces: Buffer[] = []
  socket.on('data', piece => pieces.push(piece))
  socket.on('error', () => {})
  await once(socket, 'close')
  const [head = '', rest = ''] = Buffer.concat(pieces).toString('latin1').split('\r\n\r\n')
  const promised = Number(/content-length: (\d+)/i.exec(head)?.[1])
  expect(rest).toContain('"data": "')
  expect(rest.length).toBe(Math.floor(promised / 2))
})

test('[sandbox cut] breaks streams too, after what came before the picture', async () => {
  const url = await startSandbox()
  const body = request('a hill [sandbox cut]', { responseModalities: ['TEXT', 'IMAGE'] })
  const response = await ask(url, body, { method: 'streamGenerateContent', query: '?alt=sse' })
  const pieces: Buffer[] = []
  const reading = (async () => {
    for await (const piece of response.body ?? []) pieces.push(Buffer.from(piece))
  })()
  await expect(reading).rejects.toThrow()
  const events = Buffer.concat(pieces).toString().split('\r\n\r\n')
  expect(JSON.parse((events[0] ?? '').slice('data: '.length)) as Answer).toMatchObject({
    modelVersion: expect.any(String),
  })
  expect(events.at(-1)).toMatch(/^data: .*"data":"\/9j/)
})

test('words may be combined and spread; the picture is the one of the prompt without them', async () => {
  const url = await startSandbox()
  const plain = picturesOf(await readAnswer(await ask(url, request('a hill'))))
  const spread = request('[sandbox delay=1ms] a hill [SANDBOX drafts=1, slow=20MB/s]')
  expect(picturesOf(await readAnswer(await ask(url, spread))).at(-1)).toEqual(plain[0])
})

test.for([
  ['explode', "does not know 'explode'. It knows: refuse="],
  ['status=418', "cannot read 'status=418'. It takes: status=<400|401"],
  ['refuse=STOP', "cannot read 'refuse=STOP'. It takes: refuse=<MAX_TOKENS|"],
  ['refuse=prompt:NO_IMAGE', 'cannot read'],
  ['delay=121s', "cannot read 'delay=121s'. It takes: delay=<time, at most 120s>"],
  ['delay=soon', 'cannot read'],
  ['drafts=11', 'It takes: drafts=<1-10>'],
  ['slow=1B/s', 'at least 1KB/s'],
  ['cut=yes', 'It takes: cut.'],
  ['toString', "does not know 'toString'"],
] as const)('[sandbox %s] is a 400 that tells what there is', async ([word, says]) => {
  const url = await startSandbox()
  const response = await ask(url, request(`a hill [sandbox ${word}]`))
  expect(response.status).toBe(400)
  expect((await readAnswer(response)).error?.message).toContain(says)
})
