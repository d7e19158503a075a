/** More pictures than one call gives, as calls side by side: Gemini paints one per call. What came is kept; all failed is a failure. */
import { type ErrorKind, GatewayError } from '../images/error.ts'
import { isUnsent } from './attempts.ts'

/**
 * @returns what the calls that went well gave, in order.
 * @throws where none did: the error that the caller can act on, else the first. Only where nothing of any of them was sent, it says
 * so: all would be tried elsewhere.
 */
export async function fanOut<Answer>(
  shares: readonly number[],
  call: (share: number) => Promise<Answer>,
): Promise<readonly Answer[]> {
  const [only] = shares
  if (shares.length === 1 && only !== undefined) return [await call(only)]
  const settled = await Promise.allSettled(shares.map(share => call(share)))
  const answers = settled.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  if (answers.length > 0) return answers
  const errors = settled.flatMap(result => (result.status === 'rejected' ? [result.reason as unknown] : []))
  const error = errors.find(isForTheCaller) ?? errors[0]
  throw isUnsent(error) && !errors.every(isUnsent) ? sentInPart(error) : error
}

const sentInPart = ({ kind, message, facts }: GatewayError) =>
  new GatewayError(kind, message, { ...facts, notSent: false })

/** Makes of `call` one that `tell`s of each answer that comes while others of so many are still awaited. */
export function toldEarly<Answer>(
  calls: number,
  call: (share: number) => Promise<Answer>,
  tell: (answer: Answer) => void,
): (share: number) => Promise<Answer> {
  let underWay = calls
  return async share => {
    try {
      const answer = await call(share)
      if (underWay > 1) tell(answer)
      return answer
    } finally {
      underWay -= 1
    }
  }
}

/** These tell the caller what to change or how long to wait; a timeout, or an upstream in trouble, does not. */
const forTheCaller: ReadonlySet<ErrorKind> = new Set([
  'content-refused',
  'no-image',
  'invalid-request',
  'model-unknown',
  'too-large',
  'rate-limited',
  'quota-exhausted',
])

const isForTheCaller = (error: unknown) => error instanceof GatewayError && forTheCaller.has(error.kind)
