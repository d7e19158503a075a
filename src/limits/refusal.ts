/** A refusal that is told some time after the store gave it, to somebody who may have come for something else. */

import type { Wish } from './asking.ts'
import type { Refused } from './decision.ts'
import { costOf } from './store.ts'

export interface Refusal {
  readonly refused: Refused
  readonly atMs: number
}

/** As it stands by now. */
export function standing({ refused, atMs }: Refusal, nowMs: number): Refused {
  const { wait, standings } = refused
  const left = (ms: number, least: number) => Math.max(least, Math.ceil(ms - (nowMs - atMs)))
  return {
    ...refused,
    wait: typeof wait === 'number' ? left(wait, 1) : wait,
    standings: standings.map(({ rule, standing: then }) => {
      return { rule, standing: { ...then, resetMs: then.resetMs && left(then.resetMs, 0) } }
    }),
  }
}

/** Who is refused in line hears what was told to the first: of that, what concerns its own limits. */
export function ofInterest(refused: Refused, wishes: readonly Wish[]): Refused {
  const own = new Map(wishes.map(wish => [wish.rule.key, wish]))
  const wish = own.get(refused.rule.key)
  return {
    ...refused,
    standings: refused.standings.filter(({ rule }) => own.has(rule.key)),
    cost: wish ? costOf(wish.reservation) : refused.cost,
  }
}
