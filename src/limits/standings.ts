/** How limits stand, asked without taking anything of them: by questions that are always refused, for a refusal writes nothing. */
import { randomUUID } from 'node:crypto'
import type { LimitStore, Reservation, Side, Standing } from './store.ts'

/** A question that nobody's call waits for may take its time. */
const withinMs = 1_000
/** Of a caller with rules for a hundred models; so no question holds a store up for long. */
const askedAtOnce = 64

/** Rejects as `reserve` does, and where it came to nothing in time. */
export function standingsBy(reserve: LimitStore['reserve']): LimitStore['standings'] {
  async function ask(side: Side, reservations: readonly Reservation[]): Promise<readonly Standing[]> {
    const impossible = reservations.map(one => ({ ...one, limit: 0, cost: 1 }))
    const verdict = await reserve({ id: `standings/${randomUUID()}`, side, reservations: impossible }, withinMs)
    if (verdict.outcome !== 'refused') throw new Error('The limit store did not tell how things stand in time.')
    return verdict.standings.map((standing, index) => ({ ...standing, limit: reservations[index]?.limit ?? 0 }))
  }

  return async (side, reservations) => {
    const all: Standing[] = []
    for (let start = 0; start < reservations.length; start += askedAtOnce) {
      all.push(...(await ask(side, reservations.slice(start, start + askedAtOnce))))
    }
    return all
  }
}
