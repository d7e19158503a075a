/** What becomes of callers while the shared store does not answer, as operators are told it. */
import type { OnStoreError } from '../config/config.ts'

/** Half a sentence. */
export const whileAway: Readonly<Record<OnStoreError, string>> = {
  'local-share': 'each gateway admits its share of every limit, and callers with budgets are turned away',
  closed: 'callers with limits are turned away',
  open: 'limits are not kept, and callers with budgets are turned away',
}
