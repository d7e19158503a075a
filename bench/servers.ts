/** The programs that are measured, each started as a process of its own between the load and the fake upstream. */
import { writeFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { configureNginx } from './nginx.ts'
import { type Child, freePort, type Stage, type StartOptions, waitUntilListening } from './stage.ts'
import type { UpstreamPorts } from './upstream.ts'

export interface Server {
  readonly name: string
  readonly port: number
  readonly child: Child
}

export interface GatewayOptions {
  readonly upstreamUrl: string
  /** `answers.memory` in MiB; absent: the product's default. */
  readonly memoryMiB?: number
  /** Read from the upstream into pooled slabs. Default: yes, as the product does. */
  readonly slabs?: boolean
  /** The upstream as one of OpenAI's form, not as Google's. */
  readonly openAi?: boolean
  /** Trusted besides Node's own authorities. */
  readonly certFile?: string
}

export interface Gateway extends Server {
  readonly adminPort: number
  /** Where it stores pictures that it answers by URL. */
  readonly assetsDir: string
}

/** What the product itself uses where nothing is configured. */
export const defaultMemoryMiB = 256
/** `requests.memory` where nothing is configured. */
export const defaultRequestsMiB = 512

const preload = script('preload.ts')
// As `npm start` runs it.
const gatewayArgs = ['--max-semi-space-size=16', fileURLToPath(new URL('../src/main.ts', import.meta.url))]

/** The path of a script of this folder. */
export function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url))
}

/** The gateway as `npm start` runs it, with what each run of it needs to know in its environment. */
export async function prepareGateway(stage: Stage, options: GatewayOptions) {
  const { upstreamUrl, memoryMiB = defaultMemoryMiB, slabs = true, openAi = false, certFile } = options
  const [port, adminPort, configFile] = [await freePort(), await freePort(), stage.freshPath('gateway.yaml')]
  const [spillDir, assetsDir] = [stage.freshPath('spill'), stage.freshPath('assets')]
  const settings = [
    `answers: { memory: ${memoryMiB}MiB, spill: 4GiB, spill_dir: ${JSON.stringify(spillDir)} }`,
    // More than a run stores: emptied files still count until the next sweep.
    `assets: { dir: ${JSON.stringify(assetsDir)}, max_bytes: 64GiB }`,
  ]
  writeFileSync(configFile, `${settings.join('\n')}\n`)
  const env = {
    PLANTAIN_CONFIG: configFile,
    PLANTAIN_HOST: '127.0.0.1',
    PLANTAIN_PORT: String(port),
    PLANTAIN_ADMIN_PORT: String(adminPort),
    PLANTAIN_SLABS: slabs ? 'on' : 'off',
    ...(openAi
      ? { OPENAI_API_KEY: 'bench-key', OPENAI_BASE_URL: `${upstreamUrl}/v1` }
      : { GEMINI_API_KEY: 'bench-key', GEMINI_BASE_URL: upstreamUrl }),
    ...(certFile === undefined ? {} : { NODE_EXTRA_CA_CERTS: certFile }),
  }
  return { args: gatewayArgs, port, adminPort, assetsDir, env }
}

export async function startGateway(stage: Stage, name: string, options: GatewayOptions): Promise<Gateway> {
  const { args, port, adminPort, assetsDir, env } = await prepareGateway(stage, options)
  return { ...(await startWatched(stage, name, port, args, { env })), adminPort, assetsDir }
}

export function startPipe(stage: Stage, upstream: UpstreamPorts): Promise<Server> {
  return startBetween(stage, 'pipe', 'pipe.ts', upstream)
}

export function startParseAndStringify(stage: Stage, upstream: UpstreamPorts): Promise<Server> {
  return startBetween(stage, 'parse and stringify', 'parse-and-stringify.ts', upstream)
}

export function startBareGateway(stage: Stage, upstream: UpstreamPorts): Promise<Server> {
  return startBetween(stage, 'bare gateway', 'bare-gateway.ts', upstream)
}

export async function startNginx(
  stage: Stage,
  command: string,
  upstream: { scheme: 'http' | 'https'; port: number },
): Promise<Server> {
  const port = await freePort()
  const name = upstream.scheme === 'http' ? 'nginx' : 'nginx, TLS upstream'
  const child = stage.start(name, command, { args: configureNginx({ dir: stage.freshPath('nginx'), port, upstream }) })
  await waitUntilListening(child, port)
  return { name, port, child }
}

async function startBetween(stage: Stage, name: string, file: string, upstream: UpstreamPorts): Promise<Server> {
  const port = await freePort()
  return startWatched(stage, name, port, [script(file)], { args: [String(port), String(upstream.tcp)] })
}

async function startWatched(stage: Stage, name: string, port: number, args: readonly string[], options: StartOptions) {
  const child = stage.startNode(name, ['--import', preload, ...args], { ...options, talks: true })
  await waitUntilListening(child, port)
  return { name, port, child }
}
