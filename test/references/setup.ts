/** A host of pictures, and a gateway that may ask it. */

import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import type { Config, UpstreamConfig } from '../../src/config/config.ts'
import { answerWith } from '../fixtures/gemini.ts'
import { startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type ScriptedUpstream, type SeenRequest, startUpstream } from '../helpers/scripted-upstream.ts'

export interface Surroundings {
  readonly upstream: ScriptedUpstream
  /** Of pictures: what it answers is the test's to say. */
  readonly host: ScriptedUpstream
  readonly gateway: TestGateway
  close(): Promise<void>
}

/** `allowed`: the gateway may ask the host. */
export async function startSurroundings({
  allowed = true,
  config = {},
  upstreamConfig = {},
  references = {},
}: {
  readonly allowed?: boolean
  readonly config?: Partial<Omit<Config, 'references'>>
  readonly upstreamConfig?: Partial<UpstreamConfig>
  readonly references?: Partial<Config['references']>
} = {}): Promise<Surroundings> {
  const upstream = await startUpstream(answerWith('answers/tiny-picture.json'))
  const host = await startUpstream((_request, response) => void response.writeHead(404).end())
  const allow = allowed ? [new URL(host.url).host] : []
  const gateway = await startGateway({
    upstream: upstream.url,
    upstreamConfig,
    config: { ...config, references: { allow, timeoutSeconds: 5, ...references } },
  })
  return {
    upstream,
    host,
    gateway,
    close: async () => {
      await gateway.close()
      await Promise.all([upstream.close(), host.close()])
    },
  }
}

/** The pictures of a call that went up, as they are on disk. */
export const picturesIn = ({ body }: SeenRequest): readonly Buffer[] =>
  (JSON.parse(body.toString()).contents[0].parts as readonly { inlineData?: { data: string } }[]).flatMap(
    ({ inlineData }) => (inlineData ? [Buffer.from(inlineData.data, 'base64')] : []),
  )

export interface Listener {
  readonly port: number
  connections: number
  close(): void
}

/** Counts who comes; answers nobody. */
export async function countConnections(): Promise<Listener> {
  const sockets = new Set<Socket>()
  const state = { port: 0, connections: 0, close: () => {} }
  const server: Server = createServer(socket => {
    state.connections += 1
    sockets.add(socket.on('error', () => {}))
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  state.port = (server.address() as AddressInfo).port
  state.close = () => {
    server.close()
    for (const socket of sockets) socket.destroy()
  }
  return state
}
