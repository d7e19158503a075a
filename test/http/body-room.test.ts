/** Bodies share one byte budget: by their declared length, or step by step where none is declared. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { postForm, textParts } from '../helpers/forms.ts'
import { bothVendorsAt, megabytes, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { picture } from '../helpers/pictures.ts'
import { json, type ScriptedUpstream, startUpstream } from '../helpers/scripted-upstream.ts'

let upstream: ScriptedUpstream
let gateway: TestGateway
let image: Buffer

beforeAll(async () => {
  image = await picture('png', { width: 32, height: 32 })
  const data = image.toString('base64')
  upstream = await startUpstream(
    json({ candidates: [{ content: { parts: [{ inlineData: { data } }] }, finishReason: 'STOP' }] }),
  )
  const requests = { memoryBytes: megabytes(32) }
  gateway = await startGateway({ upstream: upstream.url, config: { requests } })
})

afterAll(async () => {
  await gateway.close()
  await upstream.close()
})

/** A form in chunks, without a declared length; its end comes when `end` settles. */
function streamedEdit(end: Promise<unknown>): Promise<Response> {
  const head = '--x\r\ncontent-disposition: form-data; name="prompt"\r\n\r\nfind the kite\r\n'
  const part = '--x\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n'
  const body = new ReadableStream({
    async start(controller) {
      for (const piece of [head, part]) controller.enqueue(Buffer.from(piece))
      controller.enqueue(image)
      await end
      controller.enqueue(Buffer.from('\r\n--x--\r\n'))
      controller.close()
    },
  })
  const headers = { 'content-type': 'multipart/form-data; boundary=x' }
  return fetch(`${gateway.url}/v1/images/edits`, { method: 'POST', headers, body, duplex: 'half' } as RequestInit)
}

test('uploads of undeclared length take room for what has come, not for what might', async () => {
  let finish = () => {}
  const end = new Promise<void>(resolve => {
    finish = resolve
  })
  const uploads = [1, 2, 3, 4].map(() => streamedEdit(end))
  // All four are under way: a fifth, short one still finds room.
  expect((await streamedEdit(Promise.resolve())).status).toBe(200)
  finish()
  for (const upload of uploads) expect((await upload).status).toBe(200)
})

describe('a form that might have gone up as it came, and becomes base64 after all', () => {
  let both: TestGateway

  beforeAll(async () => {
    both = await startGateway({
      upstream: upstream.url,
      config: {
        requests: { memoryBytes: megabytes(16) },
        upstreams: bothVendorsAt(upstream.url),
      },
    })
  })
  afterAll(() => both.close())

  const edit = async (size: number) => {
    const value = Buffer.concat([image, Buffer.alloc(size)])
    const parts = [...textParts({ prompt: 'find the kite' }), { name: 'image', value, fileName: 'a.png' }]
    const response = await postForm(`${both.url}/v1/images/edits`, parts)
    await response.arrayBuffer()
    return response.status
  }

  test('has room where it has the budget to itself', async () => {
    expect(await edit(megabytes(10))).toBe(200)
  })

  test('waits for others to be done, and they do not wait for it', async () => {
    expect(await Promise.all([4, 4, 4].map(size => edit(megabytes(size))))).toEqual([200, 200, 200])
  })
})
