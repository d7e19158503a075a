/** When an exchange ends before its answer: the caller left, or the deadline passed. */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import { GatewayError } from '../images/error.ts'

/** What some SDKs send of their own time limit, in seconds: Google's and OpenAI's. */
const timeoutHeaders = ['x-server-timeout', 'x-stainless-timeout'] as const

/** The time an exchange has: the operator's limit, or less where the caller waits less. */
export function timeLimitMs(headers: IncomingHttpHeaders, longestMs: number): number {
  const asked = timeoutHeaders
    .map(name => Number(headers[name]))
    .filter(seconds => Number.isFinite(seconds) && seconds > 0)
  return Math.min(longestMs, ...asked.map(seconds => seconds * 1000))
}

/**
 * Aborts with `caller-left` when the connection closes under an unfinished answer, and with `upstream-timeout` at the deadline.
 * Fastify's own `request.signal` also fires for healthy POSTs once their body was read, so the response is watched instead.
 */
export function callerSignal(response: ServerResponse, limitMs: number): { signal: AbortSignal; end(): void } {
  const controller = new AbortController()
  const onClose = () => {
    if (!response.writableFinished)
      controller.abort(new GatewayError('caller-left', 'The caller left before the answer was there.'))
  }
  const message = `No answer came within ${limitMs / 1000} s.`
  const timer = setTimeout(
    () => controller.abort(new GatewayError('upstream-timeout', message)),
    Math.min(limitMs, longestTimerMs),
  )
  response.once('close', onClose)
  return {
    signal: controller.signal,
    end: () => {
      clearTimeout(timer)
      response.off('close', onClose)
    },
  }
}

const longestTimerMs = 2 ** 31 - 1
