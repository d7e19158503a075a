/** Rude callers, large bodies and many at once. */
import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { maxBodyBytes } from '../../src/sandbox/body.ts'
import { createPainter, type Painter } from '../../src/sandbox/painter.ts'
import { ask, paintOne, readAnswer, request, startSandbox } from './setup.ts'

const path = '/v1beta/models/gemini-3.1-flash-image:generateContent?key=any'

function open(url: string): Socket {
  const { port, hostname } = new URL(url)
  return connect(Number(port), hostname).on('error', () => {})
}

/** What a painter was asked to do. */
function watched(): { readonly painter: Painter; readonly begun: string[]; readonly left: string[] } {
  const real = createPainter({ atOnce: 1 })
  const [begun, left]: string[][] = [[], []]
  const painter: Painter = {
    look: real.look,
    paint: async (commission, signal) => {
      begun?.push(commission.prompt)
      signal.addEventListener('abort', () => left?.push(commission.prompt))
      return await real.paint(commission, signal)
    },
  }
  return { painter, begun: begun ?? [], left: left ?? [] }
}

test('who leaves while waiting for a fault’s delay is never painted for', async () => {
  const { painter, begun } = watched()
  const url = await startSandbox({ painter })
  const leaver = new AbortController()
  const asked = ask(url, request('gone [sandbox delay=200ms]'), { signal: leaver.signal })
  await sleep(50)
  leaver.abort()
  await expect(asked).rejects.toThrow()
  await sleep(250)
  expect(begun).toEqual([])
})

test('who leaves in the queue gives up the place at once', async () => {
  const { painter, left } = watched()
  const url = await startSandbox({ painter })
  const leaver = new AbortController()
  const staying = ask(url, request('large', {}, { imageSize: '1K' }))
  const leaving = ask(url, request('gone'), { signal: leaver.signal })
  leaving.catch(() => {})
  await sleep(30)
  leaver.abort()
  await expect.poll(() => left).toEqual(['gone'])
  expect((await staying).status).toBe(200)
})

test('who stops reading and leaves in the middle of a picture harms nobody', async () => {
  const url = await startSandbox()
  const body = JSON.stringify(request('a hill [sandbox slow=1MB/s]'))
  const socket = open(url)
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${body.length}\r\n\r\n${body}`)
  await once(socket, 'data')
  socket.pause()
  await sleep(100)
  socket.destroy()
  expect((await paintOne(url, request('a hill'))).length).toBeGreaterThan(10_000)
})

test.for([
  ['nonsense', 'HELLO\r\n\r\n'],
  ['half a request', `POST ${path} HTTP/1.1\r\ncontent-length: 999\r\n\r\n{"contents"`],
  ['a request without end', `POST ${path} HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{"con`],
])('%s from a caller who then leaves harms nobody', async ([, text]) => {
  const url = await startSandbox()
  const socket = open(url)
  socket.write(text ?? '')
  await sleep(30)
  socket.destroy()
  expect((await ask(url, request('[sandbox empty]'))).status).toBe(200)
})

test('a depth bomb and a name of many letters are 400s', async () => {
  const url = await startSandbox()
  const deep = `${'{"contents":['.repeat(20_000)}${']}'.repeat(20_000)}`
  expect((await ask(url, deep)).status).toBe(400)
  expect((await ask(url, `{"contents":${'['.repeat(100_000)}${']'.repeat(100_000)}}`)).status).toBe(400)
  expect((await ask(url, { ['x'.repeat(100_000)]: 1 })).status).toBe(400)
})

test('a prompt of nothing but open brackets is painted as any other', async () => {
  const url = await startSandbox()
  expect((await ask(url, request('[sandbox'.repeat(100_000)))).status).toBe(200)
})

test('a body of nothing but mistakes is answered with the first hundred', async () => {
  const url = await startSandbox()
  const body = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`field${index}`, 1]))
  const { error } = await readAnswer(await ask(url, body))
  expect(error?.message.split('\n')).toHaveLength(100)
})

test('a body that says it is too large is 413, and the connection serves on', async () => {
  const url = await startSandbox()
  const socket = open(url)
  const answers: string[] = []
  socket.on('data', piece => answers.push(piece.toString('latin1')))
  socket.write(`POST ${path} HTTP/1.1\r\nhost: x\r\ncontent-length: ${maxBodyBytes + 1}\r\n\r\n`)
  await expect.poll(() => answers.join('')).toMatch(/^HTTP\/1\.1 413 .*"code": 413/s)
  socket.destroy()
})

test('a chunked body that grows too large is 413', async () => {
  const url = await startSandbox()
  const piece = Buffer.alloc(2 ** 20, ' ')
  let sent = 0
  const response = await fetch(`${url}${path}`, {
    method: 'POST',
    body: new ReadableStream({
      pull(controller) {
        controller.enqueue(piece)
        if (++sent > maxBodyBytes / piece.length) controller.close()
      },
    }),
    duplex: 'half',
  })
  expect([response.status, await response.json()]).toMatchObject([413, { error: { code: 413 } }])
})

test('an error of its own is a 500 in Google’s form, and is reported', async () => {
  const reported: unknown[] = []
  const broken: Painter = { look: async () => null, paint: () => Promise.reject(new Error('no brush')) }
  const url = await startSandbox({ painter: broken, onFault: error => reported.push(error) })
  const response = await ask(url, request('a hill'))
  expect([response.status, await response.json()]).toMatchObject([500, { error: { code: 500, status: 'INTERNAL' } }])
  expect(reported).toMatchObject([{ message: 'no brush' }])
})

test('twenty callers at once are all served', async () => {
  const url = await startSandbox()
  const files = await Promise.all(Array.from({ length: 20 }, (_, index) => paintOne(url, request(`hill ${index}`))))
  expect(new Set(files.map(file => file.toString('base64'))).size).toBe(20)
})

test('while a large picture is painted, the process goes on with other things', async () => {
  const painter = createPainter()
  const commission = { prompt: 'leaves', seed: 0, mediaType: 'image/jpeg', references: [], draft: null } as const
  const { signal } = new AbortController()
  // Once before: loading sharp is not painting.
  await painter.paint({ ...commission, size: { width: 64, height: 64 } }, signal)
  let others = 0
  const other = setInterval(() => {
    others += 1
  }, 5)
  await painter.paint({ ...commission, size: { width: 4096, height: 4096 } }, signal)
  clearInterval(other)
  // Painted on the loop itself, it would let nothing between.
  expect(others).toBeGreaterThan(5)
})
