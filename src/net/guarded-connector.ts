/**
 * How sockets are opened to addresses that strangers name: the guard stands here, in the dialler, so that no way to it can
 * forget to ask.
 *
 * A name is looked up once, all its addresses are checked, and those very addresses are dialled: an answer of the name server
 * that changes meanwhile changes nothing. TLS and the `host` header keep the name.
 */
import { Resolver } from 'node:dns/promises'
import { isIP, type LookupFunction, type Socket } from 'node:net'
import type { buildConnector } from 'undici'
import { isPublicAddress } from './address-guard.ts'
import { type DialTarget, targetOf } from './dial-target.ts'
import { undiciConnector } from './undici.ts'

/** `trusted`: the operator has named it, wherever it leads. `checked`: it may be dialled if it leads to the public internet. */
export type Verdict = 'trusted' | 'checked' | 'refused'
export type Guard = (target: DialTarget) => Verdict

/** The addresses of a name. */
export type Resolve = (hostname: string, signal: AbortSignal) => Promise<readonly string[]>

export interface GuardedConnectOptions {
  readonly guard: Guard
  /** Ends the dialling. */
  readonly signal: AbortSignal
  readonly connectMs: number
  /** Absent: the name servers that the system is set to. */
  readonly resolve?: Resolve | undefined
  /** Absent: `isPublicAddress`. */
  readonly isPublic?: ((address: string) => boolean) | undefined
  /** Certificates to trust beside the system's, PEM. */
  readonly ca?: string | undefined
}

/** Nobody was called: the guard said no. */
export class RefusedAddressError extends Error {
  override readonly name = 'RefusedAddressError'
}

export function createGuardedConnector(options: GuardedConnectOptions): buildConnector.connector {
  const { guard, signal, connectMs, resolve = askNameServers, isPublic = isPublicAddress, ca } = options
  const base = { allowH2: false, timeout: connectMs, maxCachedSessions: 0, ...(ca && { ca }) }

  function dial(
    target: buildConnector.Options,
    lookup: LookupFunction | undefined,
    callback: buildConnector.Callback,
  ): void {
    const connect = undiciConnector({ ...base, ...(lookup && { lookup }) })
    const end = () => socket.destroy(asError(signal.reason))
    const socket = connect(target, (...result) => {
      signal.removeEventListener('abort', end)
      callback(...result)
    }) as unknown as Socket
    signal.addEventListener('abort', end, { once: true })
  }

  /** The addresses to dial; undefined: the name is an address itself. @throws RefusedAddressError if a single one is not public. */
  async function checked(hostname: string): Promise<LookupFunction | undefined> {
    const isLiteral = isIP(hostname) !== 0
    const addresses = isLiteral ? [hostname] : await resolve(hostname, signal)
    signal.throwIfAborted()
    if (!addresses.every(isPublic)) throw new RefusedAddressError('It leads to an address that is not public.')
    return isLiteral ? undefined : lookupIn(addresses)
  }

  return (target, callback) => {
    if (signal.aborted) return callback(asError(signal.reason), null)
    const to = targetOf(target)
    switch (guard(to)) {
      case 'trusted':
        return dial(target, undefined, callback)
      case 'checked':
        void checked(to.hostname).then(
          lookup =>
            dial(target, lookup, (...result) => {
              const [, socket] = result
              // Cannot be, after the check above: but here is what really happened.
              if (!socket || isPublic(socket.remoteAddress ?? '')) return callback(...result)
              socket.destroy()
              return callback(new RefusedAddressError('It led to an address that is not public.'), null)
            }),
          error => callback(asError(error), null),
        )
        return
      default:
        callback(new RefusedAddressError('It may not be called.'), null)
    }
  }
}

/** Answers every lookup with these. Node tries them in turn (RFC 8305). */
function lookupIn(addresses: readonly string[]): LookupFunction {
  const all = addresses.map(address => ({ address, family: isIP(address) }))
  return (hostname, options, callback) => {
    const [first] = all
    if (!first) callback(Object.assign(new Error(`${hostname} has no address.`), { code: 'ENOTFOUND' }), [])
    else if (options.all) callback(null, all)
    else callback(null, first.address, first.family)
  }
}

const lookupMs = 2000
const lookupTries = 2

/**
 * Not the system's own lookup: it takes one of the few threads that files are written with, for as long as a name server
 * that somebody set up for it likes.
 */
async function askNameServers(hostname: string, signal: AbortSignal): Promise<readonly string[]> {
  const resolver = new Resolver({ timeout: lookupMs, tries: lookupTries })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel, { once: true })
  try {
    const both = await Promise.allSettled([resolver.resolve4(hostname), resolver.resolve6(hostname)])
    return both.flatMap(result => (result.status === 'fulfilled' ? result.value : []))
  } finally {
    signal.removeEventListener('abort', cancel)
  }
}

const asError = (reason: unknown) => (reason instanceof Error ? reason : new Error('aborted', { cause: reason }))
