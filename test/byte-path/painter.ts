/**
 * An upstream under load: paints a different picture for every number, in every way that Google's answers differ, and knows
 * what must arrive at the caller's end. Lean: pictures are slices of one random text, and nothing is joined to be sent.
 */
import { createHash, randomBytes } from 'node:crypto'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import type { Certificate } from '../faults/certificates.ts'

/** What the painter answers to `paint 17`. */
export interface Plan {
  /** The document, in the pieces it is made of. */
  readonly document: readonly Buffer[]
  /** The picture as callers of OpenAI's API get it: standard base64. */
  readonly picture: readonly Buffer[]
  readonly chunked: boolean
  /** Bytes of the document. */
  readonly length: number
}

export interface Painter {
  readonly url: string
  /** Connections that are open now. */
  readonly connections: number
  close(): Promise<void>
}

const pool = Buffer.from(randomBytes(15_000_000).toString('base64'))
const pngHead = Buffer.from('\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\x04\0\0\0\x04\0', 'latin1').toString('base64')
/** How a picture ends: on a triple of bytes, or one or two before. */
const tails = [Buffer.alloc(0), Buffer.from('QQ=='), Buffer.from('QUI=')] as const

/** Numbers that look random and are the same in every run. */
function mixed(index: number, salt: number): number {
  let bits = Math.imul(index * 2 + 1, 0x9e3779b1) ^ Math.imul(salt + 1, 0x85ebca6b)
  bits = Math.imul(bits ^ (bits >>> 15), 0x2c1b3c6d)
  bits = Math.imul(bits ^ (bits >>> 12), 0x297a2d39)
  return ((bits ^ (bits >>> 15)) >>> 0) / 2 ** 32
}

/** Mostly small, some of several MB, two of 16 MB in 500. */
function pictureLength(index: number): number {
  const share = mixed(index, 1)
  const within = (from: number, to: number) => Math.round(from + mixed(index, 2) * (to - from))
  if (index % 250 === 100) return 16_000_000
  if (index % 100 === 50) return within(3_000_000, 5_000_000)
  if (share < 0.65) return within(2_000, 40_000)
  if (share < 0.95) return within(40_000, 300_000)
  return within(300_000, 2_000_000)
}

/** A stretch of whole quadruples that no other picture has at the same place. */
function stretch(index: number, salt: number, length: number): Buffer {
  const whole = length - (length % 4)
  const room = pool.length - whole
  const start = Math.floor(mixed(index, salt) * room)
  return pool.subarray(start - (start % 4), start - (start % 4) + whole)
}

export function planOf(index: number): Plan {
  const tail = tails[index % 3] ?? tails[0]
  const picture = [Buffer.from(pngHead), stretch(index, 3, pictureLength(index)), tail]
  const document = documentOf(index, picture)
  return { document, picture, chunked: index % 4 === 1, length: document.reduce((sum, { length }) => sum + length, 0) }
}

/** A picture's text as the wire has it: padding escaped as Google does, some with every slash escaped, some URL-safe. */
function written(index: number, pieces: readonly Buffer[]): readonly Buffer[] {
  const [head = pool, middle = pool, tail = pool] = pieces
  if (index % 25 === 7 || index === 150) return [Buffer.from(Buffer.concat(pieces).toString().replaceAll('/', '\\/'))]
  if (index % 25 === 8)
    return [Buffer.from(Buffer.concat(pieces).toString('latin1').replaceAll('/', '_').replaceAll('+', '-'))]
  return [head, middle, Buffer.from(String(tail).replaceAll('=', '\\u003d'))]
}

function documentOf(index: number, picture: readonly Buffer[]): Buffer[] {
  const data = [
    Buffer.from('{"inlineData":{"mimeType":"image/png","data":"'),
    ...written(index, picture),
    Buffer.from('"}'),
  ]
  const signature = Buffer.from(`,"thoughtSignature":"${stretch(index, 5, 3000)}"`)
  const draft = [
    Buffer.from('{"thought":true,"inlineData":{"mimeType":"image/png","data":"'),
    Buffer.from(pngHead),
    stretch(index, 6, 5000 + (index % 7) * 9000),
    Buffer.from('"}},'),
  ]
  const space = index % 5 === 0 ? '\n      ' : ''
  const finish = JSON.stringify({ promptTokenCount: 7, totalTokenCount: 1297, candidatesTokenCount: 1290 })
  return [
    Buffer.from(
      `{${space}"candidates":[{${space}"content":{"parts":[{"text":"number ${index} \\u0026 \\"more\\""},${space}`,
    ),
    ...(index % 6 === 2 ? [...draft, ...draft] : []),
    ...data,
    ...(index % 3 === 1 ? [signature] : []),
    Buffer.from(`}]},${space}"finishReason":"STOP"}],${space}"usageMetadata":${finish},"responseId":"r${index}"}\n`),
  ]
}

export function hashOf(pieces: Iterable<Buffer>): string {
  const hash = createHash('sha1')
  for (const piece of pieces) hash.update(piece)
  return hash.digest('hex')
}

export async function startPainter(certificate?: Certificate): Promise<Painter> {
  const answer = (request: IncomingMessage, response: ServerResponse) => {
    // The gateway may hang up at any moment: that is part of the load.
    paint(request, response).catch(() => response.destroy())
  }
  const server = certificate ? createHttpsServer(certificate, answer) : createHttpServer(answer)
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  return {
    url: `${certificate ? 'https' : 'http'}://127.0.0.1:${port}`,
    get connections() {
      return sockets.size
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function paint(request: IncomingMessage, response: ServerResponse): Promise<void> {
  let body = ''
  for await (const chunk of request) body += chunk
  const index = Number(/paint (\d+)/.exec(body)?.[1])
  const { document, chunked, length } = planOf(index)
  const headers = { 'content-type': 'application/json; charset=UTF-8' }
  response.writeHead(200, chunked ? headers : { ...headers, 'content-length': length })
  for (const piece of document)
    await write(response, piece, chunked ? 1 + Math.floor(mixed(index, 7) * 50_000) : 1 << 20)
  response.end()
}

async function write(response: ServerResponse, piece: Buffer, step: number): Promise<void> {
  for (let at = 0; at < piece.length; at += step) {
    if (response.destroyed) throw new Error('The gateway hung up.')
    if (response.write(piece.subarray(at, at + step))) continue
    await new Promise<void>(resolve => {
      const go = () => {
        response.off('drain', go)
        response.off('close', go)
        resolve()
      }
      response.on('drain', go)
      response.on('close', go)
    })
  }
}
