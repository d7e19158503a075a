/** What a gateway logged, for tests that read it. */
import { expect, vi } from 'vitest'

export type LogLine = Record<string, unknown>

/** The one line that the log has of an exchange; waited for, because it is written when the exchange has ended. */
export async function lineOf(
  { log }: { readonly log: readonly LogLine[] },
  requestId: string | null,
): Promise<LogLine> {
  const found = () => log.filter(line => line.msg === 'exchange' && line.requestId === requestId)
  await vi.waitUntil(() => found().length > 0, { timeout: 15_000, interval: 1 })
  expect(found()).toHaveLength(1)
  return found()[0] ?? {}
}
