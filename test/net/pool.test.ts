import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { createServer as createHttpServer, type RequestListener } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { type AddressInfo, createServer as createTcpServer, isIPv6, type Server, type Socket } from 'node:net'
import { networkInterfaces } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import type { TLSSocket } from 'node:tls'
import { Worker } from 'node:worker_threads'
import { afterEach, describe, expect, test } from 'vitest'
import { type Bytes, bytesOf, bytesOfText, concat } from '../../src/images/bytes.ts'
import { SlabPool } from '../../src/memory/slabs.ts'
import { createPool, type HttpPool, type HttpRequest, type PoolOptions, type ResponseHead } from '../../src/net/pool.ts'
import { makeCertificate } from '../faults/certificates.ts'
import { eventually, openSockets } from '../helpers/descriptors.ts'

const certificate = makeCertificate({ host: '127.0.0.1' })
const slabs = new SlabPool(8 << 20)

const options: PoolOptions = {
  connections: 8,
  connectMs: 2000,
  firstByteMs: 30_000,
  idleMs: 30_000,
  totalMs: 60_000,
  allowPrivateNetwork: false,
}

const ways = {
  'plain sockets': { tls: false, ...options },
  slabs: { tls: false, ...options, openWindows: () => slabs.openWindows() },
  'plain sockets over TLS': { tls: true, ...options, ca: certificate.cert },
  'slabs over TLS': { tls: true, ...options, ca: certificate.cert, openWindows: () => slabs.openWindows() },
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close()
})

async function listen(server: Server, host = '127.0.0.1'): Promise<string> {
  const sockets = new Set<Socket>()
  server.on('connection', socket => sockets.add(socket))
  server.listen(0, host)
  await once(server, 'listening')
  closing.push(async () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  })
  return `${isIPv6(host) ? `[${host}]` : host}:${(server.address() as AddressInfo).port}`
}

async function serve(listener: RequestListener, tls = false): Promise<string> {
  const server = tls ? createHttpsServer(certificate, listener) : createHttpServer(listener)
  return `${tls ? 'https' : 'http'}://${await listen(server)}`
}

/** A server that says the bytes it is given, and may close the connection. */
const serveRaw = async (onRequest: (socket: Socket) => void): Promise<string> =>
  `http://${await listen(createTcpServer(socket => socket.on('error', () => {}).once('data', () => onRequest(socket))))}`

function poolTo(origin: string, more: PoolOptions = options): HttpPool {
  const pool = createPool(origin, more)
  closing.push(() => pool.close())
  return pool
}

const request = (more: Partial<HttpRequest> = {}): HttpRequest => ({
  method: 'GET',
  path: '/',
  headers: {},
  body: null,
  signal: new AbortController().signal,
  ...more,
})

const post = (body: Bytes, more: Partial<HttpRequest> = {}) => request({ method: 'POST', body, ...more })

async function read(pool: HttpPool, call = request()): Promise<ResponseHead & { readonly body: Buffer }> {
  let head: ResponseHead | undefined
  const chunks: Buffer[] = []
  await pool.send(call, given => {
    head = given
    return chunk => void chunks.push(Buffer.from(chunk))
  })
  if (!head) throw new Error('No head came.')
  return { ...head, body: Buffer.concat(chunks) }
}

const code = (error: unknown) => (error as { readonly code?: string }).code

describe.each(Object.entries(ways))('over %s', (_way, { tls, ...way }) => {
  test('an answer comes whole, with its status and headers', async () => {
    const body = randomBytes(3_000_000)
    const origin = await serve((_request, response) => {
      response.writeHead(418, { 'x-name': 'value' })
      response.end(body)
    }, tls)
    const answer = await read(poolTo(origin, way))
    expect([answer.status, answer.headers['x-name']]).toEqual([418, 'value'])
    expect(answer.body.equals(body)).toBe(true)
  })

  test('a request goes out with its method, path, headers and body, in one piece or many', async () => {
    const pieces = Array.from({ length: 50 }, () => randomBytes(7000))
    const origin = await serve(({ method, url, headers }, response) => {
      response.end(JSON.stringify({ method, url, length: headers['content-length'], name: headers['x-name'] }))
    }, tls)
    const pool = poolTo(origin, way)
    const asked = async (call: HttpRequest) => JSON.parse((await read(pool, call)).body.toString()) as unknown
    const headers = { 'x-name': 'value' }
    expect(await asked(request({ path: '/a?b=c', headers }))).toEqual({ method: 'GET', url: '/a?b=c', name: 'value' })
    for (const body of [bytesOfText('{}'), bytesOf(...pieces), concat([bytesOfText('{'), bytesOf(...pieces)])]) {
      const seen = { method: 'POST', url: '/p', length: String(body.length), name: 'value' }
      expect(await asked(post(body, { path: '/p', headers }))).toEqual(seen)
    }
  })

  test('a body arrives as it was, and may be sent again', async () => {
    const pieces = Array.from({ length: 20 }, () => randomBytes(40_000))
    const origin = await serve(async (message, response) => {
      const chunks: Buffer[] = []
      for await (const chunk of message) chunks.push(chunk)
      response.end(Buffer.concat(chunks))
    }, tls)
    const pool = poolTo(origin, way)
    const body = concat([bytesOf(...pieces.slice(0, 10)), bytesOf(...pieces.slice(10))])
    for (const _again of [1, 2]) {
      expect((await read(pool, post(body))).body.equals(Buffer.concat(pieces))).toBe(true)
    }
  })

  test('the upstream waits while a chunk is not taken yet, and nothing is lost by it', async () => {
    const body = randomBytes(30_000_000)
    let written = 0
    const origin = await serve(async (_request, response) => {
      response.writeHead(200, { 'content-length': body.length })
      for (; written < body.length; written += 100_000) {
        if (!response.write(body.subarray(written, written + 100_000))) await once(response, 'drain')
      }
      response.end()
    }, tls)
    const chunks: Buffer[] = []
    const { promise: room, resolve: giveRoom } = Promise.withResolvers<void>()
    const sent = poolTo(origin, way).send(request(), () => chunk => {
      chunks.push(Buffer.from(chunk))
      return chunks.length === 2 ? room : undefined
    })
    await eventually(() => chunks.length === 2)
    await sleep(300)
    expect(chunks.length).toBe(2)
    // The rest fills the kernel's buffers and no more.
    expect(written).toBeLessThan(body.length)
    giveRoom()
    await sent
    expect(Buffer.concat(chunks).equals(body)).toBe(true)
  })

  test('every chunk may be waited for, and a wait that ends before more is there asks for nothing', async () => {
    const body = randomBytes(400_000)
    const origin = await serve(async (_request, response) => {
      response.writeHead(200, { 'content-length': body.length })
      for (let at = 0; at < body.length; at += 40_000) {
        response.write(body.subarray(at, at + 40_000))
        await sleep(2)
      }
      response.end()
    }, tls)
    const chunks: Buffer[] = []
    await poolTo(origin, way).send(request(), () => async chunk => void chunks.push(Buffer.from(chunk)))
    expect(Buffer.concat(chunks).equals(body)).toBe(true)
    expect(chunks.filter(({ length }) => length === 0)).toEqual([])
  })

  test('connections are used again', async () => {
    const peers = new Set<number | undefined>()
    const origin = await serve(({ socket }, response) => {
      peers.add(socket.remotePort)
      response.end('x'.repeat(200_000))
    }, tls)
    const pool = poolTo(origin, way)
    for (let round = 0; round < 10; round++) await read(pool)
    // The next call may come just before the last one's connection is free again.
    expect(peers.size).toBeLessThanOrEqual(2)
    await Promise.all(Array.from({ length: 30 }, () => read(pool)))
    expect(peers.size).toBeLessThanOrEqual(8)
  })

  test('an abort while the answer comes cuts the connection, for its own reason', async () => {
    let left = false
    const origin = await serve((_request, response) => {
      response.once('close', () => {
        left = true
      })
      response.write(Buffer.alloc(100_000))
    }, tls)
    const controller = new AbortController()
    const reason = new Error('the caller left')
    const sent = poolTo(origin, way).send(request({ signal: controller.signal }), () => () => {
      controller.abort(reason)
      return undefined
    })
    await expect(sent).rejects.toBe(reason)
    expect(await eventually(() => left)).toBe(true)
  })

  test('closing the pool closes its sockets and gives back every slab', async () => {
    const sockets = openSockets()
    const origin = await serve((_request, response) => response.end('x'.repeat(300_000)), tls)
    const pool = poolTo(origin, way)
    await Promise.all(Array.from({ length: 8 }, () => read(pool)))
    await pool.close()
    for (const close of closing.splice(0)) await close()
    expect(await eventually(() => openSockets() <= sockets && slabs.bytesInUse === 0)).toBe(true)
  })
})

test('an answer that comes as fast as it can be read lets others have their turn', async () => {
  // In a thread of its own: what it sends comes while the event loop here is busy.
  const sender = new Worker(
    `const server = require('node:http').createServer((_, response) => response.end(Buffer.alloc(48 << 20)))
    server.listen(0, '127.0.0.1', () => require('node:worker_threads').parentPort.postMessage(server.address().port))`,
    { eval: true },
  )
  closing.push(async () => void (await sender.terminate()))
  const [port] = await once(sender, 'message')
  const large = new SlabPool(64 << 20)
  const pool = poolTo(`http://127.0.0.1:${port}`, { ...ways.slabs, openWindows: () => large.openWindows() })
  let [inARow, most, bytes] = [0, 0, 0]
  const turns = setInterval(() => {
    inARow = 0
  })
  await pool.send(request(), () => chunk => {
    inARow += chunk.length
    most = Math.max(most, inARow)
    bytes += chunk.length
    // Slower than it comes, so that there is always more to read.
    Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 3)
    return undefined
  })
  clearInterval(turns)
  expect(bytes).toBe(48 << 20)
  expect(most).toBeLessThan(3 << 20)
})

describe('a call that does not go well', () => {
  test('is told as what went wrong: nobody listens', async () => {
    const origin = await serve(() => {})
    await closing.pop()?.()
    await expect(read(poolTo(origin))).rejects.toSatisfy(error => code(error) === 'ECONNREFUSED')
  })

  test.each([
    ['before the head', ''],
    ['inside the head', 'HTTP/1.1 200 OK\r\ncontent-le'],
    ['after the head', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n'],
    ['inside the body', 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nabc'],
    ['inside a chunk', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\nab'],
    ['between chunks', 'HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n2\r\nab\r\n'],
  ])('the connection ends %s', async (_where, said) => {
    for (const end of ['end', 'resetAndDestroy'] as const) {
      const origin = await serveRaw(socket => socket.write(said, () => setTimeout(() => socket[end](), 10)))
      await expect(read(poolTo(origin))).rejects.toSatisfy(error =>
        ['UND_ERR_SOCKET', 'ECONNRESET', 'UND_ERR_RES_CONTENT_LENGTH_MISMATCH', 'HPE_INVALID_EOF_STATE'].includes(
          code(error) ?? '',
        ),
      )
    }
  })

  test('what is no HTTP is no answer', async () => {
    const origin = await serveRaw(socket => socket.end('SSH-2.0-OpenSSH_9.9\r\n'))
    await expect(read(poolTo(origin))).rejects.toThrow()
  })

  test('a body without a length ends with its connection', async () => {
    const body = randomBytes(500_000)
    const origin = await serveRaw(socket => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.end(body)
    })
    for (const way of [ways['plain sockets'], ways.slabs]) {
      const chunks: Buffer[] = []
      await poolTo(origin, way).send(request(), () => async chunk => {
        chunks.push(Buffer.from(chunk))
        await sleep(2)
      })
      expect(Buffer.concat(chunks).equals(body)).toBe(true)
    }
  })

  test('interim answers are not the answer', async () => {
    const origin = await serveRaw(socket => {
      socket.write('HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n')
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok')
    })
    expect((await read(poolTo(origin))).body.toString()).toBe('ok')
  })

  test('no head within the time for it', async () => {
    const origin = await serve(() => {})
    await expect(read(poolTo(origin, { ...options, firstByteMs: 100 }))).rejects.toSatisfy(
      error => code(error) === 'UND_ERR_HEADERS_TIMEOUT',
    )
  })

  test('no further chunk within the time for it; the time that a chunk is not taken does not count', async () => {
    const origin = await serve((_request, response) => void response.write('begun'))
    await expect(read(poolTo(origin, { ...options, idleMs: 100 }))).rejects.toSatisfy(
      error => code(error) === 'UND_ERR_BODY_TIMEOUT',
    )
    const whole = await serve((_request, response) => void response.end('x'.repeat(300_000)))
    let length = 0
    await poolTo(whole, { ...options, idleMs: 100 }).send(request(), () => async chunk => {
      if (length === 0) await sleep(1200)
      length += chunk.length
    })
    expect(length).toBe(300_000)
  })

  test('no end within the time for all of it, though it is lively', async () => {
    const origin = await serve((_request, response) => {
      const drip = setInterval(() => response.write('more'), 5)
      response.once('close', () => clearInterval(drip))
    })
    const pool = poolTo(origin, { ...options, totalMs: 100 })
    await expect(read(pool)).rejects.toSatisfy(error => code(error) === 'PLANTAIN_TOTAL_TIMEOUT')
  })

  test('what the taker throws, now or later, is what the call fails with, and it cuts the connection', async () => {
    const failures = {
      head: () => {
        throw new Error('no such head')
      },
      chunk: () => () => {
        throw new Error('no such chunk')
      },
      later: () => async () => {
        throw new Error('no room')
      },
    }
    for (const fail of Object.values(failures)) {
      let left = false
      const origin = await serve((_request, response) => {
        response.once('close', () => {
          left = true
        })
        response.write('begun')
      })
      await expect(poolTo(origin).send(request(), fail)).rejects.toThrow(/^no /)
      expect(await eventually(() => left)).toBe(true)
    }
  })

  test('an abort before, or while it waits for a connection or for the head', async () => {
    const reason = new Error('the caller left')
    let requests = 0
    const origin = await serve(() => {
      requests += 1
    })
    const pool = poolTo(origin, { ...options, connections: 1 })
    await expect(read(pool, request({ signal: AbortSignal.abort(reason) }))).rejects.toBe(reason)
    expect(requests).toBe(0)
    const [first, second] = [new AbortController(), new AbortController()]
    const answers = [first, second].map(({ signal }) => read(pool, request({ signal })))
    const ends = Promise.allSettled(answers)
    await eventually(() => requests === 1)
    second.abort(reason)
    await expect(answers[1]).rejects.toBe(reason)
    first.abort(reason)
    await expect(answers[0]).rejects.toBe(reason)
    await ends
    expect(requests).toBe(1)
  })

  test('a certificate that nobody vouches for', async () => {
    const origin = await serve((_request, response) => response.end('x'), true)
    for (const way of [ways['plain sockets'], ways.slabs]) {
      await expect(read(poolTo(origin, way))).rejects.toSatisfy(error => code(error) === 'DEPTH_ZERO_SELF_SIGNED_CERT')
    }
  })
})

test.each([ways['plain sockets over TLS'], ways['slabs over TLS']])(
  'a second TLS connection goes on where the first ended: case %#',
  async way => {
    const resumed: boolean[] = []
    const origin = await serve(({ socket }, response) => {
      resumed.push((socket as TLSSocket).isSessionReused())
      response.writeHead(200, { connection: 'close' }).end('x')
    }, true)
    const pool = poolTo(origin, way)
    for (let round = 0; round < 3; round++) await read(pool)
    expect(resumed).toEqual([false, true, true])
  },
)

/** An address of this machine in a private network. Machines without a network have none. */
const privateAddress = Object.values(networkInterfaces())
  .flatMap(addresses => addresses ?? [])
  .find(({ address, internal }) => !internal && /^(?:10\.|192\.168\.|172\.(?:1[6-9]|2\d|3[01])\.|f[cd])/.test(address))

test.runIf(privateAddress)('private networks are dialled only where the operator allows it', async () => {
  let requests = 0
  const server = createHttpServer((_request, response) => {
    requests += 1
    response.end('inside')
  })
  const origin = `http://${await listen(server, privateAddress?.address)}`
  for (const way of [ways['plain sockets'], ways.slabs]) {
    await expect(read(poolTo(origin, way))).rejects.toSatisfy(error => code(error) === 'PLANTAIN_PRIVATE_ADDRESS')
    expect(requests).toBe(0)
    expect((await read(poolTo(origin, { ...way, allowPrivateNetwork: true }))).body.toString()).toBe('inside')
    requests = 0
  }
})
