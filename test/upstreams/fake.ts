/** The server under every fake vendor: reads and records requests, keeps the queue of ordered answers, sends what the vendor's surface says. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type FakeAnswer,
  type FakeUpstream,
  Refused,
  type Reply,
  type SeenBody,
  type SeenRequest,
  type Surface,
} from './contract.ts'
import { readForm } from './form.ts'
import { createStudio } from './studio.ts'

export async function startFake(surface: Surface): Promise<FakeUpstream> {
  const requests: SeenRequest[] = []
  const sideCalls: SeenRequest[] = []
  const problems: string[] = []
  const orders: FakeAnswer[] = []
  let abandoned = 0

  const studio = createStudio()
  const server = createServer((message, response) => {
    const gone = new AbortController()
    response.once('close', () => {
      if (response.writableFinished) return
      gone.abort()
      if (!response.headersSent || !cutByUs.has(response)) abandoned++
    })
    void answer(message, response, gone.signal).catch((error: unknown) => {
      // Who has left need not be told; anything else is a mistake of the fake's own, and is to be seen.
      if (!gone.signal.aborted)
        problems.push(`The fake failed: ${error instanceof Error ? error.stack : String(error)}`)
      response.destroy()
    })
  })
  // Longer than any client's pool keeps a connection, so that none is closed under a request that is on its way.
  server.keepAliveTimeout = 120_000
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`

  async function answer(message: IncomingMessage, response: ServerResponse, signal: AbortSignal): Promise<void> {
    const request = await readRequest(message)
    if (!request) return
    const aside = surface.aside?.(request, studio) ?? null
    if (aside) {
      sideCalls.push(request)
      request.status = aside.status
      return await send(aside, { kind: 'ok' }, response, signal)
    }
    requests.push(request)
    response.once('finish', () => {
      request.status = response.statusCode
    })
    let plan: FakeAnswer = { kind: 'ok' }
    const take = () => {
      plan = orders.shift() ?? plan
      return plan
    }
    try {
      const reply = await surface.serve({ request, studio, url, take, response, signal })
      if (reply) await send(reply, plan, response, signal)
    } catch (error) {
      if (!(error instanceof Refused)) throw error
      problems.push(error.message)
      await send(error.reply, { kind: 'ok' }, response, signal)
    }
  }

  return {
    name: surface.name,
    protocol: surface.protocol,
    dialect: surface.dialect,
    key: surface.key,
    baseUrl: url + surface.basePath,
    requests,
    sideCalls,
    problems,
    pictures: studio.painted,
    answers: new Set(surface.answers),
    get abandoned() {
      return abandoned
    },
    get ordered() {
      return orders.length
    },
    answerNext(order, times = 1) {
      if (!surface.answers.includes(order.kind)) throw new Error(`${surface.name} never answers '${order.kind}'.`)
      for (let time = 0; time < times; time++) orders.push(order)
    },
    reset() {
      for (const list of [requests, sideCalls, problems, orders]) list.length = 0
      studio.forget()
      abandoned = 0
    },
    close: () =>
      new Promise(resolve => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** Null: the caller left while it sent. */
async function readRequest(message: IncomingMessage): Promise<SeenRequest | null> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of message) chunks.push(chunk)
  } catch {
    return null
  }
  const bytes = Buffer.concat(chunks)
  const [path = '', query = ''] = (message.url ?? '').split('?', 2)
  const body = readBody(message.headers['content-type'] ?? '', bytes)
  const { method = '', headers } = message
  return { method, path, query: new URLSearchParams(query), headers, bytes, body, status: null }
}

function readBody(contentType: string, bytes: Buffer): SeenBody {
  if (bytes.length === 0) return { kind: 'none' }
  try {
    if (/^application\/json(;\s*charset=utf-8)?$/i.test(contentType)) {
      return { kind: 'json', value: JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) }
    }
    if (/^multipart\/form-data\b/i.test(contentType)) return { kind: 'form', parts: readForm(contentType, bytes) }
    return { kind: 'other' }
  } catch (error) {
    return { kind: 'unreadable', problem: error instanceof Error ? error.message : String(error) }
  }
}

const cutByUs = new WeakSet<ServerResponse>()

/** Marks that the end of this connection is the fake's doing, not the caller's. */
export const breaksOff = (response: ServerResponse): void => void cutByUs.add(response)

async function send(reply: Reply, plan: FakeAnswer, response: ServerResponse, signal: AbortSignal): Promise<void> {
  const { status, headers, pieces, stream = false } = reply
  const delayMs = plan.kind === 'slow' ? plan.delayMs : 0
  const length = pieces.reduce((sum, piece) => sum + piece.length, 0)
  if (delayMs > 0) await sleep(delayMs, undefined, { signal })
  response.writeHead(status, { ...headers, ...(!stream && { 'content-length': length }) })
  for (const [index, piece] of pieces.entries()) {
    if (delayMs > 0) await sleep(delayMs, undefined, { signal })
    if (plan.kind === 'cut' && index === pieces.length - 1) return await breakOff(response, piece)
    response.write(piece)
  }
  response.end()
}

async function breakOff(response: ServerResponse, piece: Buffer): Promise<void> {
  breaksOff(response)
  // Half of it is to arrive before the end does.
  await new Promise<void>(resolve => response.write(piece.subarray(0, piece.length >> 1), () => resolve()))
  response.destroy()
}
