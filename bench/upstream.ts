/**
 * The fake upstream, a process of its own: answers any POST with the document its prompt wishes, out of memory, over TCP
 * and (with a certificate and its key as arguments) TLS.
 */
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { documentOf, uploadBytes, uploadOf } from './documents.ts'
import { answerRun } from './talk.ts'
import { findWish } from './wishes.ts'

export interface UpstreamPorts {
  readonly tcp: number
  readonly tls: number | null
}

// Large enough to cost nothing, small enough that a TLS socket does not encrypt a whole answer before it sends.
const pieceBytes = 1 << 20
const chunkBytes = 16 << 10

let waiting = 0

async function serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const pieces: Buffer[] = []
  for await (const piece of request) pieces.push(piece)
  const body = Buffer.concat(pieces)
  const wish = findWish(body)
  if (wish.uploads > 0) await checkUploads(body, wish.uploads)
  const { bytes } = await documentOf(wish)
  waiting++
  if (wish.afterSeconds > 0) await sleep(wish.afterSeconds * 1000)
  waiting--
  response.writeHead(200, {
    'content-type': 'application/json; charset=UTF-8',
    ...(wish.chunked ? {} : { 'content-length': bytes.length }),
  })
  await send(response, bytes, wish.chunked ? chunkBytes : pieceBytes)
  response.end()
}

/** Throws where a request of Google's form holds other pictures than the edits send. */
async function checkUploads(body: Buffer, count: number): Promise<void> {
  const { contents } = JSON.parse(body.toString()) as {
    contents: { parts: { inlineData?: { data: string } }[] }[]
  }
  const sent = contents.flatMap(({ parts }) => parts.flatMap(({ inlineData }) => (inlineData ? [inlineData.data] : [])))
  if (sent.length !== count) throw new Error(`The upstream got ${sent.length} pictures instead of ${count}.`)
  for (const [index, data] of sent.entries()) {
    expected[index] ??= uploadOf(uploadBytes, index)
    if (!(await expected[index]).equals(Buffer.from(data, 'base64'))) throw new Error('A picture came up changed.')
  }
}

const expected: Promise<Buffer>[] = []

async function send(response: ServerResponse, bytes: Buffer, step: number): Promise<void> {
  const closed = new Promise(resolve => response.once('close', resolve))
  for (let start = 0; start < bytes.length && !response.destroyed; start += step) {
    if (!response.write(bytes.subarray(start, start + step))) await Promise.race([once(response, 'drain'), closed])
  }
}

async function listen(server: Server): Promise<number> {
  server.listen({ host: '127.0.0.1', port: 0, backlog: 4096 })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  serve(request, response).catch((error: Error) => {
    // A caller that leaves mid-upload is the business of whoever measures; an unknown wish is a mistake of this bench.
    if (!request.destroyed) response.writeHead(500).end(error.message)
  })
}

async function listenAll([certFile, keyFile]: readonly string[]): Promise<UpstreamPorts> {
  const options = { keepAliveTimeout: 600_000, requestTimeout: 0 }
  const tcp = await listen(createServer(options, answer))
  if (certFile === undefined || keyFile === undefined) return { tcp, tls: null }
  const tls = createTlsServer({ ...options, cert: readFileSync(certFile), key: readFileSync(keyFile) }, answer)
  return { tcp, tls: await listen(tls) }
}

const ports = listenAll(process.argv.slice(2))

answerRun({
  ports: () => ports,
  /** How many requests wait for their delay to pass. */
  waiting: () => waiting,
})
