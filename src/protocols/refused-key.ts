/** An upstream refuses the operator's key: the caller hears of it neutrally, and the log in the upstream's words. */
import { type ErrorFacts, GatewayError } from '../images/error.ts'

const hint = 'The upstream refuses the credentials of this gateway. Its operator has to mend that.'

/** `words`: the upstream's, about the key; they stay out of the answer. */
export const refusedKey = (words: string, facts: ErrorFacts): GatewayError =>
  new GatewayError('upstream-credential', hint, { ...facts, cause: words })
