/** One call, tried at the candidates in turn as long as nothing of it was sent: what was sent may have been billed. */
import { GatewayError } from '../images/error.ts'

/** Tries one candidate. `waits`: where its limits have no room now, the call may wait for it. */
export type Try<Candidate, Answer> = (candidate: Candidate, waits: boolean) => Promise<Answer>

/**
 * Waits for none while another may have room; then for the best of those that had none.
 * @throws the last candidate's error, or the first that a further attempt must not follow.
 */
export async function attempt<Candidate, Answer>(
  candidates: readonly Candidate[],
  mayWait: boolean,
  call: Try<Candidate, Answer>,
): Promise<Answer> {
  const isOnly = candidates.length === 1
  const full: Candidate[] = []
  let failure: unknown
  for (const candidate of candidates) {
    try {
      return await call(candidate, mayWait && isOnly)
    } catch (error) {
      const refused = notSent(error)
      failure = refused
      if (refused.kind === 'rate-limited') full.push(candidate)
    }
  }
  if (!mayWait || isOnly) throw failure
  for (const candidate of full) {
    try {
      return await call(candidate, true)
    } catch (error) {
      failure = notSent(error)
    }
  }
  throw failure
}

/** Can the call be tried elsewhere, since nothing of it reached an upstream? */
export const isUnsent = (error: unknown): error is GatewayError =>
  error instanceof GatewayError && error.facts.notSent === true

/** @throws the error itself, where something of the call was sent. */
function notSent(error: unknown): GatewayError {
  if (isUnsent(error)) return error
  throw error
}
