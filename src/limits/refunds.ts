/** What is given back when a call is over: failed requests do not use up what their callers have. */

import type { LimitDimension } from '../config/config.ts'
import type { Outcome } from '../images/error.ts'

/** What an exchange came to. */
export interface ExchangeResult {
  /** `not-sent`: it goes on as another, and was as good as not there. */
  readonly outcome: Outcome | 'not-sent'
  /** A caller who left pays for it nevertheless: it was painted, and the caller's settings say so. */
  readonly chargedAnyway?: boolean
  /** As far as it is known; else what was reserved stands. */
  readonly images?: number
  readonly tokens?: number
  readonly microUsd?: number
}

/** What one call to an upstream came to. */
export interface CallResult {
  readonly outcome: 'ok' | 'failed' | 'not-sent'
  readonly images?: number
}

/** `null`: as reserved. */
type Actual = number | null

/** Does its caller pay for it? */
export const isCharged = ({ outcome, chargedAnyway }: ExchangeResult): boolean =>
  outcome === 'ok' || chargedAnyway === true

/** The request itself stays counted for its minute, so that failing over and over is not free. */
export function actualOfExchange(dimension: LimitDimension, result: ExchangeResult): Actual {
  if (dimension === 'requests' || dimension === 'concurrent') return null
  if (!isCharged(result)) return 0
  switch (dimension) {
    case 'images':
    case 'images-day':
      return counted(result.images)
    case 'tokens':
      return counted(result.tokens)
    case 'budget-day':
    case 'budget-month':
      return counted(result.microUsd)
    case 'requests-day':
      return null
  }
}

/** An upstream has counted what was sent to it, whatever came of it. */
export function actualOfCall(dimension: LimitDimension, { outcome, images }: CallResult): Actual {
  const isImages = dimension === 'images' || dimension === 'images-day'
  return outcome === 'ok' && isImages ? counted(images) : null
}

/** What an upstream counts may be anything, and sums and prices make more of it. */
const counted = (count: number | undefined): Actual =>
  count !== undefined && Number.isSafeInteger(count) && count >= 0 ? count : null
