/** A Redis of the bench's own, which it can count, stop and kill as it likes. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { createServer } from 'node:net'
import { Redis } from 'ioredis'

export interface BenchRedis extends AsyncDisposable {
  readonly url: string
  readonly admin: Redis
  /** It stands still, and goes on. */
  stall(): void
  resume(): void
}

/** Rejects where there is no `redis-server` on the PATH. */
export async function startRedis(): Promise<BenchRedis> {
  const port = await freePort()
  const flags = ['--port', String(port), '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
  const server = spawn('redis-server', flags, { stdio: ['ignore', 'pipe', 'ignore'] })
  const kill = () => server.kill('SIGKILL')
  process.once('exit', kill)
  const { promise, resolve, reject } = Promise.withResolvers<void>()
  server.stdout.on('data', text => String(text).includes('Ready to accept') && resolve())
  server.once('error', () => reject(new Error('The limits are measured on a real Redis: install redis-server.')))
  server.once('exit', () => reject(new Error('redis-server ended.')))
  await promise
  const admin = new Redis(port, '127.0.0.1')
  return {
    url: `redis://127.0.0.1:${port}`,
    admin,
    stall: () => void server.kill('SIGSTOP'),
    resume: () => void server.kill('SIGCONT'),
    async [Symbol.asyncDispose]() {
      admin.disconnect()
      process.off('exit', kill)
      kill()
      if (server.exitCode === null && server.signalCode === null) await once(server, 'exit')
    },
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const address = server.address()
  server.close()
  await once(server, 'close')
  if (address === null || typeof address === 'string') throw new Error('No port of its own.')
  return address.port
}
