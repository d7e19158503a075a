/** Opening the ports, and what is said where one can't be opened. */

import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import type { FastifyInstance } from 'fastify'
import { urlHost } from './config/address.ts'

export interface Place {
  readonly host: string
  readonly port: number
}

/** What the names of the variables begin with that choose the place, for whoever has to choose another. */
export type ListenerVariables = 'PLANTAIN' | 'PLANTAIN_ADMIN'

const otherPort = (variables: ListenerVariables) => `${variables}_PORT chooses another port, 0 a free one`
const otherHost = (variables: ListenerVariables) => `${variables}_HOST chooses another host, 0.0.0.0 is every address`

const whyNotListen: Readonly<Record<string, readonly [reason: string, remedy: typeof otherPort]>> = {
  EADDRINUSE: ['another process listens there', otherPort],
  EACCES: ['this user may not use that port', otherPort],
  EADDRNOTAVAIL: ['this machine has no such address', otherHost],
  EAFNOSUPPORT: ['this machine has no such address', otherHost],
  ENOTFOUND: ['no address is known by that name', otherHost],
  EAI_AGAIN: ['no address is known by that name', otherHost],
}

/**
 * Workers each have a socket of their own on the port, where the system has that. Handed out by the first process, a connection
 * that comes in the moment in which the last of them stops to listen is given to nobody, and left hanging until all have ended.
 */
const beside = process.platform === 'linux' ? { exclusive: true, reusePort: true } : {}

/**
 * `shares`: it is one of several workers on that port.
 * Ends the process where an operator can mend it. @returns where it listens.
 */
export async function listen(
  app: FastifyInstance,
  { host, port }: Place,
  variables: ListenerVariables,
  shares = false,
): Promise<string> {
  try {
    await app.listen({ host, port, ...(shares && beside) })
  } catch (error) {
    return cannotListen(error, { host, port }, variables)
  }
  const { address, port: actual } = app.server.address() as AddressInfo
  return `http://${placeText({ host: address, port: actual })}`
}

/** Workers would share a port with another gateway's without a word: so it is tried first, by a socket that shares with nobody. */
export async function findFree({ host, port }: Place, variables: ListenerVariables): Promise<void> {
  const trial = createServer()
  try {
    await once(trial.listen({ host, port, exclusive: true }), 'listening')
    await new Promise(resolve => trial.close(resolve))
  } catch (error) {
    cannotListen(error, { host, port }, variables)
  }
}

/** What an operator can mend is told in a sentence, like a mistake in the configuration; anything else is a fault. */
function cannotListen(error: unknown, place: Place, variables: ListenerVariables): never {
  const why = whyNotListen[error instanceof Error && 'code' in error ? String(error.code) : '']
  if (why === undefined) throw error
  const [reason, remedy] = why
  process.stderr.write(`Plantain cannot listen on ${placeText(place)}: ${reason}. ${remedy(variables)}.\n`)
  process.exit(1)
}

function placeText({ host, port }: Place): string {
  return `${urlHost(host)}:${port}`
}
