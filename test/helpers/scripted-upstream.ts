/** A real HTTP server whose every answer the test decides, byte by byte. It writes down what it was asked. */
import { createServer, type IncomingMessage, type RequestListener, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo } from 'node:net'

export interface SeenRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingMessage['headers']
  readonly body: Buffer
}

export type Script = (request: SeenRequest, response: ServerResponse) => void | Promise<void>

export interface ScriptedUpstream {
  readonly url: string
  readonly seen: SeenRequest[]
  /** Calls whose connection closed before their answer was whole. */
  readonly abandoned: number
  /** What the next requests are answered with. */
  script: Script
  close(): Promise<void>
}

export async function startUpstream(
  script: Script,
  tls?: { readonly key: string; readonly cert: string },
): Promise<ScriptedUpstream> {
  const state = { url: '', seen: [] as SeenRequest[], abandoned: 0, script, close: async () => {} }
  const listener: RequestListener = async (message, response) => {
    response.once('close', () => {
      if (!response.writableFinished) state.abandoned += 1
    })
    const chunks: Buffer[] = []
    try {
      for await (const chunk of message) chunks.push(chunk)
    } catch {
      return // The gateway hung up while it sent: the test sees it in `abandoned`.
    }
    const request = {
      method: message.method ?? '',
      url: message.url ?? '',
      headers: message.headers,
      body: Buffer.concat(chunks),
    }
    state.seen.push(request)
    await state.script(request, response)
  }
  const server = tls ? createTlsServer(tls, listener) : createServer(listener)
  await new Promise<void>(resolve => server.listen(0, '127.0.0.1', resolve))
  state.url = `${tls ? 'https' : 'http'}://127.0.0.1:${(server.address() as AddressInfo).port}`
  state.close = () =>
    new Promise(resolve => {
      server.close(() => resolve())
      server.closeAllConnections()
    })
  return state
}

/** Answers with one JSON document. */
export const json =
  (value: unknown, status = 200, headers: Record<string, string> = {}): Script =>
  (_request, response) => {
    const body = typeof value === 'string' ? value : JSON.stringify(value)
    response.writeHead(status, { 'content-type': 'application/json; charset=UTF-8', ...headers }).end(body)
  }
