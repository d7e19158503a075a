/** A call in its caller's own form goes to those who take it so; where nothing of it was sent, translated to the others. */
import { isUnsent } from '../gateway/attempts.ts'
import type { Candidate } from '../gateway/routing.ts'
import { GatewayError, type Outcome } from '../images/error.ts'
import type { Conversation } from './serve.ts'

/** Both ways of one call. */
export interface Ways {
  readonly candidates: readonly Candidate[]
  /** Those of the candidates that take the call as it came. */
  readonly takers: readonly Candidate[]
  /** Once it was translated, the call is still there as it came. */
  readonly isKept: boolean
  /** `isLast`: whoever can't be asked now, may be waited for. */
  relay(takers: readonly Candidate[], isLast: boolean): Promise<Outcome>
  translate(others: readonly Candidate[]): Promise<Outcome>
}

export async function relayOrTranslate(
  { exchange: { record, patience }, response }: Conversation,
  { candidates, takers, isKept, relay, translate }: Ways,
): Promise<Outcome> {
  const others = candidates.filter(candidate => !takers.includes(candidate))
  if (others.length === 0) return relay(takers, true)
  try {
    return await relay(takers, false)
  } catch (first) {
    if (!isUnsent(first)) throw first
    const { attempts } = record
    try {
      return await translate(others)
    } catch (error) {
      if (response.headersSent) throw error
      // What those can't be asked for at all says nothing of what the caller asked for.
      const isNews = record.attempts > attempts || !isTheirs(error)
      if (isNews && !isUnsent(error)) throw error
      if (isKept && patience && first.kind === 'rate-limited') return await relay(takers, true)
      throw isNews ? error : first
    }
  }
}

const isTheirs = (error: unknown) =>
  error instanceof GatewayError && (error.kind === 'invalid-request' || error.kind === 'unsupported-parameter')
