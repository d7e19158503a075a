/** One call, tried at the candidates in turn as long as nothing of it was sent: what was sent may have been billed. */
import { GatewayError } from '../images/error.ts'

/** @throws the last candidate's error, or the first that a further attempt must not follow. */
export async function attempt<Candidate, Answer>(
  candidates: readonly Candidate[],
  call: (candidate: Candidate) => Promise<Answer>,
): Promise<Answer> {
  let failure: unknown
  for (const candidate of candidates) {
    try {
      return await call(candidate)
    } catch (error) {
      if (!(error instanceof GatewayError && error.facts.notSent)) throw error
      failure = error
    }
  }
  throw failure
}
