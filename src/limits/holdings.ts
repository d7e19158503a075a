/** What this process holds in the store: renewed while its calls run, given back once, and again where the store did not hear. */
import { costOf, type Hold, type LimitStore, type Settlement } from './store.ts'

export interface Holdings {
  /** It was admitted, and its call runs. */
  begin(hold: Hold): void
  /** Its call is over. The first time counts. Never rejects. */
  end(hold: Hold, settlement: Settlement): Promise<void>
  /** Nobody knows whether it was taken, or it is not needed after all. Never rejects. */
  undo(hold: Hold): Promise<void>
  /** Gives everything back, as calls that failed. */
  close(): Promise<void>
}

/** The store still knows for ten minutes what money was charged: so long a settle can be sent again. */
const moneyMs = 540_000

/** One timer renews what runs; it does not keep the process alive. */
export function createHoldings(store: LimitStore, now: () => number): Holdings {
  const running = new Set<Hold>()
  /** Over, but the store did not hear of it yet; with the time from which it is of no use to tell it. */
  const untold = new Map<Hold, { readonly settlement: Settlement | null; readonly uselessMs: number }>()

  /** Null: as if it had never been. */
  async function tell(hold: Hold, settlement: Settlement | null): Promise<void> {
    if (settlement && !changesSomething(hold, settlement)) return
    try {
      await (settlement ? store.settle(hold, settlement) : store.cancel(hold))
      untold.delete(hold)
    } catch {
      const uselessMs = now() + (hold.reservations.some(({ kind }) => kind === 'budget') ? moneyMs : store.leaseMs)
      if (!untold.has(hold)) untold.set(hold, { settlement, uselessMs })
    }
  }

  async function tellLate(): Promise<void> {
    for (const [hold, { settlement, uselessMs }] of untold) {
      if (uselessMs > now()) await tell(hold, settlement)
      else untold.delete(hold)
      // Still there: the store is still away, and there is no use in asking it for all the others.
      if (untold.has(hold)) return
    }
  }

  let renewing = false
  async function renew(): Promise<void> {
    if (renewing) return
    renewing = true
    await tellLate()
    // A renewal that fails is made good by the next: a hold outlives two that are missed.
    await store.renew([...running]).catch(() => {})
    renewing = false
  }
  const renewer = setInterval(renew, store.leaseMs / 3)
  renewer.unref()

  return {
    begin: hold => running.add(hold),
    async end(hold, settlement) {
      if (running.delete(hold)) await tell(hold, settlement)
    },
    async undo(hold) {
      running.delete(hold)
      await tell(hold, null)
    },
    async close() {
      clearInterval(renewer)
      const left = [...running].map(hold => tell(hold, abandoned(hold)))
      const late = [...untold].map(([hold, { settlement }]) => tell(hold, settlement))
      running.clear()
      await Promise.all([...left, ...late])
    },
  }
}

/** A window alone, as it was reserved, needs no word: the store forgets it by itself. */
function changesSomething({ reservations }: Hold, { actuals }: Settlement): boolean {
  return reservations.some((one, index) => {
    if (one.kind === 'lease' || one.kind === 'budget') return true
    const actual = actuals[index] ?? costOf(one)
    return actual !== costOf(one)
  })
}

const abandoned = ({ reservations }: Hold): Settlement => ({
  actuals: reservations.map(({ kind }) => (kind === 'budget' ? 0 : null)),
  failed: true,
})
