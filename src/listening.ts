/** Opening the ports, and what is said where one can't be opened. */
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'

export interface Place {
  readonly host: string
  readonly port: number
}

const whyNotListen: Readonly<Record<string, string>> = {
  EADDRINUSE: 'another process listens there',
  EACCES: 'this user may not use that port',
  EADDRNOTAVAIL: 'this machine has no such address',
}

/**
 * Workers each have a socket of their own on the port, where the system has that. Handed out by the first process, a connection
 * that comes in the moment in which the last of them stops to listen is given to nobody, and left hanging until all have ended.
 */
const beside = process.platform === 'linux' ? { exclusive: true, reusePort: true } : {}

/**
 * `variable`: what chooses the port, for whoever has to choose another. `shares`: it is one of several workers on that port.
 * Ends the process where an operator can mend it. @returns where it listens.
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: Place,
  variable: string,
  shares = false,
): Promise<string> {
  try {
    await app.listen({ host, port, ...(shares && beside) })
  } catch (error) {
    return cannotListen(error, `${host}:${port}`, variable)
  }
  const { address, port: actual } = app.server.address() as AddressInfo
  return `http://${address.includes(':') ? `[${address}]` : address}:${actual}`
}

/** Workers would share a port with another gateway's without a word: so it is tried first, by a socket that shares with nobody. */
export async function findFree({ host, port }: Place, variable: string): Promise<void> {
  const trial = createServer()
  try {
    await once(trial.listen({ host, port, exclusive: true }), 'listening')
    await new Promise(resolve => trial.close(resolve))
  } catch (error) {
    cannotListen(error, `${host}:${port}`, variable)
  }
}

/** What an operator can mend is told in a sentence, like a mistake in the configuration; anything else is a fault. */
function cannotListen(error: unknown, address: string, variable: string): never {
  const reason = whyNotListen[error instanceof Error && 'code' in error ? String(error.code) : '']
  if (reason === undefined) throw error
  process.stderr.write(
    `Plantain cannot listen on ${address}: ${reason}. ${variable} chooses another port, 0 a free one.\n`,
  )
  process.exit(1)
}
