/** Lets an exchange spend money: there is room for its answer, and its caller's limits allow it. */
import { GatewayError, outcomeOf } from '../images/error.ts'
import { type Decision, limitHeaders, refusalError } from '../limits/decision.ts'
import type { Limits } from '../limits/limits.ts'
import type { HoldingPlaces } from '../memory/held-document.ts'
import type { Exchange } from './exchange.ts'

export interface AdmissionParts {
  readonly limits: Limits
  readonly places: HoldingPlaces
}

/** Runs the work once it is admitted, and gives back what the limits held, whatever became of it. */
export type Admit = <Result>(exchange: Exchange, work: () => Promise<Result>) => Promise<Result>

export function createAdmission({ limits, places }: AdmissionParts): Admit {
  return async (exchange, work) => {
    if (exchange.dryRun) return work()
    await roomForAnAnswer(exchange.signal)
    const { record, caller, deadlineMs } = exchange
    const decision = await limits.admit({ id: record.requestId, caller, deadlineMs })
    for (const [name, value] of Object.entries(limitHeaders(decision))) exchange.headers.set(name, value)
    if (!decision.admitted) throw refusalError(decision)
    return settled(decision, work)
  }

  // Settled before the answer goes out: a caller who asks again at once finds its slot free.
  async function settled<Result>(decision: Decision, work: () => Promise<Result>): Promise<Result> {
    try {
      const result = await work()
      await limits.settle(decision, 'ok')
      return result
    } catch (error) {
      await limits.settle(decision, outcomeOf(error))
      throw error
    }
  }

  /** Before a call that costs money: an answer nobody can hold would be paid for and lost. */
  async function roomForAnAnswer(signal: AbortSignal): Promise<void> {
    while (places.memory.full && places.spill.full) {
      await places.spill.changed(signal)
      if (!signal.aborted) continue
      if (signal.reason instanceof GatewayError && signal.reason.kind === 'caller-left') throw signal.reason
      throw new GatewayError('overloaded', 'There is no room for another answer now. Try again soon.', {
        retryAfterMs: 1000,
      })
    }
  }
}
