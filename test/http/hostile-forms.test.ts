/** Forms that were sent by mistake or in anger: the right answer in OpenAI's envelope, and the next request is served. */

import { afterEach, describe, expect, test } from 'vitest'
import { answerWith } from '../fixtures/gemini.ts'
import { type Answer, askOpenai, read } from '../helpers/callers.ts'
import { boundary, type FormPart, formBytes, formType, postForm, streamOf, textParts } from '../helpers/forms.ts'
import { numberedPicture } from '../helpers/pictures.ts'
import { open, rawHttp, readAnswer } from '../helpers/raw-http.ts'
import { scriptedGateway } from '../helpers/scripted-gateway.ts'

const maxBodyBytes = 4 << 20
const { gateway, upstream } = await scriptedGateway(answerWith('answers/tiny-picture.json'), {
  config: { listen: { maxBodyBytes }, references: { maxBytes: 2 << 20, maxCount: 16 } },
})
const png = await numberedPicture('png')

// Whatever was sent, the next ones are served.
afterEach(async () => {
  expect((await read(await postForm(url(), [prompt, file()]))).status).toBe(200)
  expect((await askOpenai(gateway)).status).toBe(200)
})

const url = () => `${gateway.url}/v1/images/edits`
const prompt: FormPart = { name: 'prompt', value: 'Put a hat on it' }
const file = (more: Partial<FormPart> = {}): FormPart => ({ name: 'image', value: png, fileName: 'a.png', ...more })
const edit = async (parts: readonly FormPart[], options: Parameters<typeof postForm>[2] = {}) =>
  read(await postForm(url(), parts, options))
const post = async (body: Buffer | string, type = formType) =>
  read(
    await fetch(url(), { method: 'POST', headers: { 'content-type': type }, body: new Uint8Array(Buffer.from(body)) }),
  )

function expectRefused(answer: Answer, status: number, says = /\w/): void {
  expect(answer.status).toBe(status)
  expect(answer.json.error).toMatchObject({ type: 'invalid_request_error', message: expect.stringMatching(says) })
  expect(Object.keys(answer.json.error)).toEqual(['message', 'type', 'param', 'code'])
  expect(answer.text).not.toMatch(/\bat \/|node:|busboy|dicer|fastify|FST_/i)
  expect(upstream.seen).toHaveLength(0)
}

describe('the boundary', () => {
  test.each([
    ['is missing', 'multipart/form-data'],
    ['is missing among other parameters', 'multipart/form-data; charset=utf-8'],
    ['is empty', 'multipart/form-data; boundary='],
    ['is empty in quotes', 'multipart/form-data; boundary=""'],
    ['is longer than 70 characters', `multipart/form-data; boundary=${'b'.repeat(71)}`],
    ['is longer than 70 characters in quotes', `multipart/form-data; boundary="${'b'.repeat(300)}"`],
  ])('%s', async (_what, type) => expectRefused(await post(formBytes([prompt]), type), 400, /boundary/))

  test('is another one than in the body', async () => {
    expectRefused(await post(formBytes([prompt, file()]), 'multipart/form-data; boundary=another'), 400)
  })

  test('in quotes is read', async () => {
    const answer = await post(formBytes([prompt]), `Multipart/Form-Data; boundary="${boundary}"`)
    expect(answer.status).toBe(200)
  })

  test.each(['multipart/mixed', 'multipart/related', 'multipart/form-dataset'])('of %s is no help', async type => {
    expectRefused(await post(formBytes([prompt]), `${type}; boundary=${boundary}`), 415, /multipart\/form-data/)
  })
})

describe('a form that is not whole', () => {
  test('is empty', async () => expectRefused(await post(''), 400))
  test('is no form', async () => expectRefused(await post('{"prompt": "x"}'), 400))
  test('has no part', async () => expectRefused(await post(`--${boundary}--\r\n`), 400, /prompt/))

  const whole = () => formBytes([prompt, file(), { name: 'n', value: '1' }])
  test.each([1, 40, 80, 150, 200, 230, 300, 330, 400])('is cut after %i bytes', async length => {
    expect(whole().length).toBeGreaterThan(400)
    expectRefused(await post(whole().subarray(0, length)), 400)
  })

  test('lacks nothing but its last boundary', async () => {
    const bytes = whole()
    expectRefused(await post(bytes.subarray(0, bytes.length - `--${boundary}--\r\n`.length)), 400)
  })

  test('says nothing of what it is: a part without a disposition', async () => {
    const part = `--${boundary}\r\nContent-Type: text/plain\r\n\r\nlost\r\n`
    expectRefused(await post(Buffer.concat([Buffer.from(part), formBytes([prompt])])), 400)
  })

  test('ends with its connection: nobody is there to be told', async () => {
    const socket = await open(gateway.url)
    const head = `POST /v1/images/edits HTTP/1.1\r\nhost: x\r\nx-request-id: cut\r\ncontent-type: ${formType}\r\n`
    socket.write(`${head}content-length: 100000\r\n\r\n`)
    socket.write(whole().subarray(0, 250))
    await new Promise(resolve => setTimeout(resolve, 50))
    socket.destroy()
    const line = () => gateway.log.find(({ requestId }) => requestId === 'cut')
    await expect.poll(line).toMatchObject({ outcome: 'left', status: 499 })
  })
})

describe('too much', () => {
  const filler = (bytes: number, name = 'image') => file({ name, value: Buffer.concat([png, Buffer.alloc(bytes)]) })

  test('a file above the bound', async () => {
    expectRefused(await edit([prompt, filler(2 << 20)]), 413, /2097152 bytes/)
    expectRefused(await edit([prompt, filler(2 << 20)], { chunked: true }), 413, /2097152 bytes/)
  })

  test('many small files that are too much together', async () => {
    const parts = [prompt, filler(1 << 20), filler(1 << 20), filler(1 << 20), filler(1 << 20)]
    expectRefused(await edit(parts), 413, /4194304 bytes/)
    expectRefused(await edit(parts, { chunked: true }), 413, /4194304 bytes/)
  })

  test('and the caller who still sends it reads so', async () => {
    const chunks = Array.from({ length: 24 }, () => Buffer.alloc(1 << 20, 'x'))
    const start = formBytes([prompt, file()]).subarray(0, -`\r\n--${boundary}--\r\n`.length)
    const options = { method: 'POST', headers: { 'content-type': formType }, duplex: 'half' } as const
    expectRefused(await read(await fetch(url(), { ...options, body: streamOf([start, ...chunks]) })), 413)
    const all = new Uint8Array(Buffer.concat([start, ...chunks]))
    expectRefused(await read(await fetch(url(), { ...options, body: all })), 413)
  })

  test('a text of 300 KB', async () => {
    expectRefused(await edit([{ name: 'prompt', value: 'x'.repeat(300_000) }]), 413, /'prompt' is larger/)
    expectRefused(await edit([prompt, { name: 'user', value: 'x'.repeat(300_000) }]), 413, /'user' is larger/)
  })

  test('a prompt that is too long and yet no bomb', async () => {
    expectRefused(await edit([{ name: 'prompt', value: 'x'.repeat(32_001) }]), 400, /32000/)
  })

  test.each([
    ['61 fields', () => Array.from({ length: 61 }, (_, index) => ({ name: `f${index}`, value: '1' }))],
    ['20 files', () => Array.from({ length: 20 }, () => file())],
    ['10 000 parts', () => Array.from({ length: 10_000 }, (_, index) => ({ name: `f${index}`, value: '1' }))],
    ['10 000 empty parts', () => Array.from({ length: 10_000 }, () => ({ name: 'user', value: '' }))],
  ])('%s', async (_what, parts) =>
    expectRefused(await edit([prompt, ...parts()]), 413, /more than 18 files or more than 60 text fields/),
  )

  test('17 references are a mistake, not a bomb', async () => {
    const parts = Array.from({ length: 17 }, () => file())
    expectRefused(await edit([prompt, { name: 'model', value: 'nano-banana' }, ...parts]), 400, /At most 16/)
  })

  test.each([
    ['a header of 200 KB', `X-Long: ${'x'.repeat(200_000)}`],
    ['3000 headers', Array.from({ length: 3000 }, (_, index) => `X-${index}: 1`).join('\r\n')],
  ])('%s of a part: behind its name nobody reads them, before it the part is lost and refused', async (_what, more) => {
    expect((await edit([file({ headers: [more] }), prompt])).status).toBe(200)
    expect(upstream.seen[0]?.body.toString()).toContain(png.toString('base64'))
    upstream.seen.length = 0
    const disposition = 'Content-Disposition: form-data; name="image"; filename="a.png"'
    const part = `--${boundary}\r\n${more}\r\n${disposition}\r\n\r\n`
    const bytes = Buffer.concat([Buffer.from(part), png, Buffer.from('\r\n'), formBytes([prompt])])
    expectRefused(await post(bytes), 400, /head/)
  })
})

describe('names', () => {
  test('of 5 KB', async () => {
    expectRefused(await edit([prompt, { name: 'n'.repeat(5000), value: '1' }]), 400, /name/)
    expectRefused(await edit([prompt, file({ name: 'n'.repeat(5000) })]), 400, /name/)
  })

  test('that are not there', async () => {
    expectRefused(await edit([prompt, { value: 'x' }]), 400, /no name/)
    expectRefused(await edit([prompt, { value: png, fileName: 'a.png' }]), 400, /no name/)
    expectRefused(await edit([prompt, { name: '', value: 'x' }]), 400, /no name/)
  })

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('that lead to a prototype: %s', async name => {
    expectRefused(await edit([prompt, { name, value: '{"n":9}' }]), 400)
    expectRefused(await edit([prompt, file({ name })]), 400)
    expect(({} as Record<string, unknown>).n).toBeUndefined()
  })

  test('that stand there twice', async () => {
    expectRefused(await edit([prompt, prompt]), 400, /'prompt' stands there twice/)
    expectRefused(
      await edit([prompt, ...textParts({ model: 'nano-banana' }), { name: 'model', value: 'x' }]),
      400,
      /'model'/,
    )
  })

  test('with line breaks in them', async () => {
    expectRefused(await edit([prompt, { name: 'a\nb', value: 'x' }]), 400)
  })
})

describe('contents', () => {
  test('a text that is no UTF-8', async () => {
    expectRefused(await edit([{ name: 'prompt', value: Buffer.from('Zürich', 'latin1') }]), 400, /UTF-8/)
  })

  test('half of a surrogate pair in UTF-8', async () => {
    expectRefused(await edit([{ name: 'prompt', value: Buffer.from([0x61, 0xed, 0xa0, 0x80]) }]), 400)
  })

  test.each(['base64', 'quoted-printable', 'BASE64'])('a part encoded as %s', async encoding => {
    const headers = [`Content-Transfer-Encoding: ${encoding}`]
    expectRefused(await edit([{ ...prompt, headers }]), 400, /encoded as/)
    expectRefused(await edit([prompt, file({ headers })]), 400, /encoded as/)
  })

  test.each(['binary', '8bit', '7bit'])('a part marked %s is as it is', async encoding => {
    const answer = await edit([prompt, file({ headers: [`Content-Transfer-Encoding: ${encoding}`] })])
    expect(answer.status).toBe(200)
  })

  test('JSON in a part that is none', async () => {
    const type = 'application/json'
    expectRefused(await edit([{ name: 'prompt', value: '{"a', type }]), 400)
    expectRefused(await edit([prompt, { name: 'x', value: '{"__proto__": {"n": 9}}', type }]), 400)
    expect(({} as Record<string, unknown>).n).toBeUndefined()
  })

  test('a file where text belongs, and nothing where a file belongs', async () => {
    expectRefused(await edit([file({ name: 'prompt' })]), 400, /'prompt'/)
    expectRefused(await edit([prompt, file({ name: 'model' })]), 400, /'model'/)
    expectRefused(await edit([prompt, file({ value: '' })]), 400, /empty/)
  })

  test('bytes outside the form do no harm', async () => {
    const bytes = Buffer.concat([Buffer.from('preamble\r\n'), formBytes([prompt]), Buffer.from('epilogue')])
    expect((await post(bytes)).status).toBe(200)
  })
})

test('a form with a content-encoding is not read', async () => {
  const answer = await edit([prompt], { headers: { 'content-encoding': 'gzip' } })
  expectRefused(answer, 415)
})

test('a form on a Gemini route is told what is read there, in Google’s words', async () => {
  const answer = await read(await postForm(`${gateway.url}/v1beta/models/x:generateContent`, [prompt]))
  expect(answer.status).toBe(415)
  expect(answer.json.error).toMatchObject({ code: 415, status: 'INVALID_ARGUMENT' })
})

test('a connection is used again after a form that was refused while it came', async () => {
  const socket = await open(gateway.url)
  const bytes = formBytes([prompt, { ...prompt }, ...Array.from({ length: 20 }, () => file())])
  for (const body of [bytes, formBytes([prompt])]) {
    const answer = readAnswer(socket)
    socket.write(
      `POST /v1/images/edits HTTP/1.1\r\nhost: x\r\ncontent-type: ${formType}\r\ncontent-length: ${body.length}\r\n\r\n`,
    )
    socket.write(body)
    expect((await answer).status).toBe(body === bytes ? 400 : 200)
  }
  socket.destroy()
})

test('what is sent behind a form on the same connection is the next request', async () => {
  const form = formBytes([prompt]).toString('latin1')
  const head = `POST /v1/images/edits HTTP/1.1\r\nhost: x\r\ncontent-type: ${formType}\r\ncontent-length: ${form.length}\r\n\r\n`
  const answer = await rawHttp(gateway.url, `${head}${form}GET /healthz HTTP/1.1\r\nhost: x\r\n\r\n`)
  expect(answer.status).toBe(200)
})
