/** The product as operators run it: `node src/main.ts` in a process of its own, and all that it prints. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('../..', import.meta.url))
const main = join(root, 'src/main.ts')

export interface ProcessOptions {
  /** Beside PATH and the ports, which are any free ones unless they stand here. */
  readonly env?: Readonly<Record<string, string>>
  /** The configuration file, as JSON, which is YAML. The spill folder is the process's own unless it stands here. */
  readonly config?: Readonly<Record<string, object>>
  /** By `npm start`: the process is npm then, and signals go to that. */
  readonly byNpm?: boolean
}

export interface GatewayProcess {
  readonly pid: number
  readonly spillDir: string
  /** Standard output and standard error. */
  readonly output: { readonly out: string; readonly err: string }
  /** Its log so far, parsed. */
  lines(): readonly Record<string, unknown>[]
  /** Settles with the first line whose message is this. Rejects where the process ends first. */
  line(message: string): Promise<Record<string, unknown>>
  signal(signal: NodeJS.Signals): void
  /** Settles when the process has ended. */
  readonly exited: Promise<{ readonly code: number | null; readonly signal: NodeJS.Signals | null }>
  /** Ends the process where it still runs, and takes its folder away. */
  close(): Promise<void>
}

export function startProcess({ env = {}, config = {}, byNpm = false }: ProcessOptions): GatewayProcess {
  const folder = mkdtempSync(join(tmpdir(), 'plantain-process-'))
  const spillDir = join(folder, 'spill')
  mkdirSync(spillDir)
  const file = join(folder, 'gateway.yaml')
  writeFileSync(file, JSON.stringify({ ...config, answers: { spill_dir: spillDir, ...config.answers } }))
  const [program, args] = byNpm ? ['npm', ['start', '--silent']] : [process.execPath, [main]]
  const child = spawn(program, args, {
    cwd: byNpm ? root : folder,
    // A group of its own, which ends as one where something is left of it.
    detached: byNpm,
    env: {
      PATH: process.env.PATH,
      PLANTAIN_CONFIG: file,
      PLANTAIN_PORT: '0',
      PLANTAIN_ADMIN_PORT: '0',
      ...env,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  const output = { out: '', err: '' }
  child.stdout.setEncoding('utf8').on('data', text => {
    output.out += text
  })
  child.stderr.setEncoding('utf8').on('data', text => {
    output.err += text
  })
  // `close`: also its output has ended.
  const exited = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  const lines = () =>
    output.out
      .split('\n')
      .slice(0, -1)
      .map(line => JSON.parse(line) as Record<string, unknown>)
  return {
    pid: child.pid ?? 0,
    spillDir,
    output,
    exited,
    lines,
    async line(message) {
      for (;;) {
        const found = lines().find(({ msg }) => msg === message)
        if (found) return found
        const more = await Promise.race([once(child.stdout, 'data').then(() => true), exited.then(() => false)])
        if (!more && !lines().some(({ msg }) => msg === message))
          throw new Error(`The process ended before it said "${message}":\n${output.out}${output.err}`)
      }
    },
    signal: signal => void child.kill(signal),
    async close() {
      if (byNpm) endGroup(child.pid)
      else if (child.exitCode === null && child.signalCode === null) child.kill('SIGKILL')
      await exited
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function endGroup(leader: number | undefined): void {
  try {
    if (leader) process.kill(-leader, 'SIGKILL')
  } catch {} // All of it has ended.
}

/** Where a process that has started listens. */
export async function addressesOf(gateway: GatewayProcess): Promise<{ url: string; adminUrl: string }> {
  const { address, adminAddress } = await gateway.line('listening')
  return { url: String(address), adminUrl: String(adminAddress) }
}
