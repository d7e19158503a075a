/** The product as people start it: a process, told by its environment. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'
import { neutralEnvironment } from './tools.ts'

export interface GatewayProcess {
  readonly url: string
  stop(): Promise<void>
}

export type Settings = Readonly<Record<string, string>>

const root = fileURLToPath(new URL('../..', import.meta.url))

/**
 * @param key the one key it takes.
 * @param settings more of its environment; without any the sandbox is its upstream.
 * @throws Error with its last words, where it does not start.
 */
export async function startGatewayProcess(key: string, settings: Settings = {}): Promise<GatewayProcess> {
  const gateway = spawn(process.execPath, startArguments(), {
    cwd: root,
    env: { ...neutralEnvironment(), PLANTAIN_PORT: '0', PLANTAIN_ADMIN_PORT: '0', PLANTAIN_API_KEYS: key, ...settings },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const kill = () => gateway.kill('SIGKILL')
  process.once('exit', kill)
  const exited = once(gateway, 'exit')

  let words = ''
  gateway.stderr.on('data', text => {
    words += text
  })
  const { promise: url, resolve, reject } = Promise.withResolvers<string>()
  createInterface({ input: gateway.stdout }).on('line', line => {
    words += `${line}\n`
    const address = /"address":"(http:[^"]+)"/.exec(line)?.[1]
    if (address) resolve(address)
  })
  gateway.once('exit', code => reject(new Error(`The gateway ended with ${code}:\n${words}`)))
  return {
    url: await url,
    stop: async () => {
      process.off('exit', kill)
      gateway.kill('SIGTERM')
      await exited
    },
  }
}

/** What `npm start` tells Node. */
function startArguments(): readonly string[] {
  const { scripts } = JSON.parse(readFileSync(`${root}/package.json`, 'utf8')) as { scripts: { start: string } }
  return scripts.start.split(' ').slice(1)
}
