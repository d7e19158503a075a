/** Bytes out to a caller: the head with its exact length, every slice as it lies, and an end to callers who stop reading. */
import type { ServerResponse } from 'node:http'
import { isInMemory } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { WireReply } from '../protocols/protocol.ts'

/** An answer of any route; where it is an error, in the words of the route's protocol. */
export type Reply = WireReply

/**
 * Settles when the last byte left for the caller: until then the body must be held.
 * @throws GatewayError `caller-left` where the connection closed before, or nothing was taken for `writeTimeoutMs`.
 */
export async function send(response: ServerResponse, reply: Reply, writeTimeoutMs: number): Promise<void> {
  try {
    if (reply.reasonPhrase !== undefined) response.statusMessage = reply.reasonPhrase
    // RFC 9110, 8.6: no length with a 204, and with a 304 none but that of the 200.
    const length = reply.status === 204 || reply.status === 304 ? {} : { 'content-length': reply.body.length }
    response.writeHead(reply.status, { ...reply.headers, ...length })
    const slices = reply.body.slices()
    if (isInMemory(slices)) {
      const all = [...slices]
      const last = reply.body.length > takenAtOnceBytes ? all.pop() : undefined
      let isOut = () => {}
      response.cork()
      for (const slice of all) response.write(slice)
      if (last) response.write(last, () => isOut())
      else response.end()
      response.uncork()
      if (isTaken(response)) {
        if (last) response.end()
        return
      }
      const out = new Promise<void>(resolve => {
        isOut = resolve
      })
      await endOnce(response, last ? out : null, writeTimeoutMs)
      return
    }
    const over = ended(response)
    cutWhenStalled(response, writeTimeoutMs)
    // A slice from a file is valid until the next is asked for: so each must be gone before.
    for await (const slice of slices) await Promise.race([written(response, slice), over])
    response.end()
    await over
  } catch (error) {
    response.destroy()
    throw error
  }
}

/** Headers of a stream: nginx and its kin would keep events until they have some kilobytes of them. */
export const unbuffered = { 'cache-control': 'no-cache', 'x-accel-buffering': 'no' } as const

/** The buffer of any system's socket takes this much at once. */
const takenAtOnceBytes = 16 * 1024

/**
 * Ends an answer once it is `out`, not before: while something is left to write, `end` writes an empty chunk behind it. A balancer
 * that has got all it was promised resets the connection at once; the empty chunk would fail, and a whole answer would look like
 * one whose caller left. Null: it was ended already.
 */
async function endOnce(response: ServerResponse, out: Promise<void> | null, writeTimeoutMs: number): Promise<void> {
  const over = ended(response)
  cutWhenStalled(response, writeTimeoutMs)
  if (out) {
    await Promise.race([out, over])
    response.end()
  }
  await over
}

/** The system has taken all of an answer at once: the usual end of a small one, with nothing left to wait for. */
const isTaken = ({ socket, writableLength }: ServerResponse) =>
  socket !== null && !socket.destroyed && writableLength === 0

/** Settles when the slice has left for the caller, or can't any more. */
export const written = (response: ServerResponse, slice: Buffer) =>
  new Promise<void>(resolve => {
    response.write(slice, () => resolve())
  })

/** Settles at `finish`; rejects when the connection closes before. One listener each for the whole answer. */
export function ended(response: ServerResponse): Promise<void> {
  const end = new Promise<void>((resolve, reject) => {
    const leave = () => reject(new GatewayError('caller-left', 'The caller left before the answer was sent.'))
    const finish = () => {
      response.off('close', leave)
      resolve()
    }
    if (response.destroyed) leave()
    response.once('finish', finish)
    response.once('close', leave)
  })
  // Whoever awaits it hears of it; a rejection while nobody does yet must not end the process.
  end.catch(() => {})
  return end
}

/**
 * Cuts a connection that has taken nothing for `writeTimeoutMs`, or up to twice as long, while something is there to take.
 * Node's own clock on the socket knows how far one large write has come; `bytesWritten` counts all of it from the start.
 */
export function cutWhenStalled(response: ServerResponse, writeTimeoutMs: number): void {
  response.setTimeout(writeTimeoutMs, () => {
    if (response.writableLength > 0) response.destroy()
  })
}

/** Ends an answer that was begun and can't be finished, so that nobody takes it for a whole one. */
export function cut(response: ServerResponse): void {
  // HTTP/1.0 knows no chunks: there an end in good order would be the end of the answer.
  if (response.req.httpVersion === '1.0') response.socket?.resetAndDestroy()
  response.destroy()
}
