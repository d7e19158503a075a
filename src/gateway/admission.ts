/** Lets an exchange spend money: there is room for its answer, and its caller's limits allow it. */
import { GatewayError, type Outcome, outcomeOf } from '../images/error.ts'
import { sumUsage } from '../images/result.ts'
import { type Decision, limitHeaders, refusalError } from '../limits/decision.ts'
import type { Limits } from '../limits/limits.ts'
import type { ExchangeResult } from '../limits/refunds.ts'
import type { HoldingPlaces } from '../memory/held-document.ts'
import { isUnsent } from './attempts.ts'
import type { Exchange } from './exchange.ts'
import { begunOf, billedFor, demandOf, type Spending, spentBy } from './spending.ts'

export interface AdmissionParts {
  readonly limits: Limits
  readonly places: HoldingPlaces
}

/** What the work came to where it did not throw; by then its exchange's record has the images and the usage. */
interface Ending<Result> {
  readonly outcomeOf?: (result: Result) => Outcome
  /** Where nothing of the call was sent, another is tried for the same request: this one was none. */
  readonly goesOn?: boolean
}

/** Runs the work once it is admitted, and settles with the limits, whatever became of it. */
export type Admit = <Result>(
  exchange: Exchange,
  spending: Spending,
  work: () => Promise<Result>,
  ending?: Ending<Result>,
) => Promise<Result>

export function createAdmission({ limits, places }: AdmissionParts): Admit {
  const isFull = () => places.memory.full && places.spill.full

  return async (exchange, spending, work, ending) => {
    if (exchange.dryRun) {
      exchange.dryRun.wants(spending.wanted)
      return work()
    }
    if (isFull()) await roomForAnAnswer(exchange.signal)
    const { record, caller, deadlineMs, patience } = exchange
    const asking = { id: record.requestId, caller, model: spending.resolution.id, deadlineMs, patience }
    const decision = await limits.admit(asking, demandOf(spending))
    for (const [name, value] of Object.entries(limitHeaders(decision))) exchange.headers.set(name, value)
    if (!decision.admitted) throw refusalError(decision, spending.spelling)
    // Settled before the answer goes out: a caller who asks again at once finds its slot free.
    try {
      // The room there was may be taken by those who came while this one waited.
      if (record.queuedMs > 0) await roomForAnAnswer(exchange.signal)
      const result = await work()
      await settle(exchange, spending, decision, ending?.outcomeOf?.(result) ?? 'ok')
      return result
    } catch (error) {
      await settle(exchange, spending, decision, ending?.goesOn && isUnsent(error) ? 'not-sent' : outcomeOf(error))
      throw error
    }
  }

  async function settle(
    exchange: Exchange,
    spending: Spending,
    decision: Decision,
    outcome: ExchangeResult['outcome'],
  ): Promise<void> {
    const { record, caller, headers } = exchange
    const isPainted = outcome === 'ok' || record.images > 0
    const spent = isPainted ? spentBy(spending, record) : outcome === 'left' ? begunOf(spending, record) : null
    const billed = billedFor(spending, record, spent)
    if (billed !== undefined) record.costMicroUsd = billed
    if (outcome === 'ok' && spent?.microUsd !== undefined) {
      headers.set('x-plantain-cost-usd', String(spent.microUsd / 1e6))
    }
    const chargedAnyway = outcome === 'left' && record.begun > 0 && caller.chargeOnDisconnect !== false
    await limits.settle(decision, { outcome, chargedAnyway, ...spent })
    const usage = sumUsage([...(record.usage ? [record.usage] : []), ...record.usageOfFailures])
    if (usage) record.usage = usage
  }

  /** Before a call that costs money: an answer nobody can hold would be paid for and lost. */
  async function roomForAnAnswer(signal: AbortSignal): Promise<void> {
    while (isFull()) {
      await places.spill.changed(signal)
      if (!signal.aborted) continue
      if (signal.reason instanceof GatewayError && signal.reason.kind === 'caller-left') throw signal.reason
      throw new GatewayError('overloaded', 'There is no room for another answer now. Try again soon.', {
        retryAfterMs: 1000,
      })
    }
  }
}
