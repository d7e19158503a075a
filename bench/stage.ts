/** Everything a run puts up and takes down again, however it ends: its folder and the processes it starts. */
import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer } from 'node:net'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { family } from './process-facts.ts'
import { callChild } from './talk.ts'

export interface StartOptions {
  readonly args?: readonly string[]
  readonly env?: Readonly<Record<string, string>>
  /** A channel for `call`. */
  readonly talks?: boolean
}

/** A started process. */
export class Child {
  readonly name: string
  readonly pid: number
  readonly #process: ChildProcess
  readonly #errorFile: string

  constructor(name: string, started: ChildProcess, errorFile: string) {
    if (started.pid === undefined) throw new Error(`${name} could not be started.`)
    this.name = name
    this.pid = started.pid
    this.#process = started
    this.#errorFile = errorFile
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null
  }

  /** What it wrote to its standard error. */
  get complaint(): string {
    return readFileSync(this.#errorFile, 'utf8').slice(-2000)
  }

  call<Result>(name: string, input?: unknown): Promise<Result> {
    return callChild(this.#process, name, input)
  }

  /** Ends the process: politely, after two seconds at once. Resolves when it is gone. */
  async stop(): Promise<void> {
    if (this.hasEnded) return
    const ended = once(this.#process, 'exit')
    this.#process.kill('SIGTERM')
    const impatience = setTimeout(() => this.#process.kill('SIGKILL'), 2000)
    await ended
    clearTimeout(impatience)
  }

  /** For the very end of the run, where nothing can be waited for: with its children, since nginx's outlive it. */
  kill(): void {
    if (this.hasEnded) return
    for (const pid of family(this.pid)) process.kill(pid, 'SIGKILL')
  }
}

export class Stage {
  /** On the disk of the checkout: a spill on a tmpfs would be memory. */
  readonly dir: string
  readonly #children = new Set<Child>()
  #files = 0

  constructor(root: string) {
    mkdirSync(join(root, 'data'), { recursive: true })
    this.dir = mkdtempSync(join(root, 'data', 'bench-'))
    process.on('exit', () => this.#clear())
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => process.exit(1))
  }

  /** A path in the run's folder that nothing else has. */
  freshPath(name: string): string {
    return join(this.dir, `${++this.#files}-${name}`)
  }

  /** Starts a script on the Node that runs this one. */
  startNode(name: string, nodeArgs: readonly string[], options: StartOptions = {}): Child {
    return this.start(name, process.execPath, { ...options, args: [...nodeArgs, ...(options.args ?? [])] })
  }

  start(name: string, command: string, { args = [], env = {}, talks = false }: StartOptions): Child {
    const errorFile = this.freshPath('stderr')
    const errors = openSync(errorFile, 'w')
    const child = spawn(command, args, {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'ignore', errors, ...(talks ? (['ipc'] as const) : [])],
    })
    closeSync(errors)
    // A program that is not there reports itself here; `Child` says so in words.
    child.on('error', () => {})
    const started = new Child(name, child, errorFile)
    this.#children.add(started)
    return started
  }

  async stop(child: Child): Promise<void> {
    await child.stop()
    this.#children.delete(child)
  }

  #clear(): void {
    for (const child of this.#children) child.kill()
    rmSync(this.dir, { recursive: true, force: true })
  }
}

/** A port that was free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  if (address === null || typeof address === 'string') throw new Error('No free port.')
  return address.port
}

const startDeadlineMs = 20_000
const pollMs = 4

/** Waits until the process takes connections. Throws with what it complained about when it ends instead. */
export async function waitUntilListening(child: Child, port: number): Promise<void> {
  const deadline = performance.now() + startDeadlineMs
  while (performance.now() < deadline) {
    if (child.hasEnded) throw new Error(`${child.name} ended at its start: ${child.complaint}`)
    if (await connects(port)) return
    await sleep(pollMs)
  }
  throw new Error(`${child.name} did not listen on ${port} in time: ${child.complaint}`)
}

function connects(port: number): Promise<boolean> {
  return new Promise(resolve => {
    const socket = connect({ host: '127.0.0.1', port })
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false))
    socket.once('close', () => resolve(false)).once('connect', () => socket.destroy())
  })
}
