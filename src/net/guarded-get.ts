/** One GET through the guarded dialler, on a connection of its own: no cookies, no keys, no proxy, no redirects followed. */
import type { IncomingHttpHeaders } from 'node:http'
import { createGuardedConnector, type GuardedConnectOptions } from './guarded-connector.ts'

export interface GuardedAnswer {
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Ends with an error where the connection was cut before the declared length. */
  readonly body: AsyncIterable<Buffer>
}

/**
 * Asks, hands the answer to `take` and closes the connection when that settles.
 * @throws undici's errors, RefusedAddressError, or what `take` threw. Where the signal aborted, any of them.
 */
export async function guardedGet<Result>(
  url: URL,
  headers: Readonly<Record<string, string>>,
  options: GuardedConnectOptions,
  take: (answer: GuardedAnswer) => Promise<Result>,
): Promise<Result> {
  const { signal } = options
  // All of undici, loaded when the first picture is fetched.
  const { Client } = await import('undici')
  const client = new Client(url.origin, {
    connect: createGuardedConnector(options),
    allowH2: false,
    pipelining: 1,
    // The signal limits them all.
    headersTimeout: 0,
    bodyTimeout: 0,
  })
  try {
    const path = url.pathname + url.search
    const { statusCode: status, headers: told, body } = await client.request({ method: 'GET', path, headers, signal })
    // Destroyed while nobody reads it, it tells so by an event.
    body.on('error', () => {})
    return await take({ status, headers: told, body })
  } finally {
    await client.destroy()
  }
}
