/** What one of several workers may use, so that the operator's figures hold for the machine. */
import type { Config } from '../config/config.ts'

/** Budgets of bytes and sockets divided evenly; the rest of a division is nobody's. Of places in a line each has one at least. */
export function shareOf(config: Config): Config {
  const { workers, answers, requests, upstreams, callers } = config
  const share = (whole: number) => Math.floor(whole / workers)
  return {
    ...config,
    answers: { ...answers, memoryBytes: share(answers.memoryBytes), spillBytes: share(answers.spillBytes) },
    requests: { ...requests, memoryBytes: share(requests.memoryBytes) },
    callers: callers.map(caller => {
      const { queue } = caller
      return queue ? { ...caller, queue: { ...queue, max: Math.ceil(queue.max / workers) } } : caller
    }),
    upstreams: upstreams.map(upstream => ({ ...upstream, connections: Math.max(1, share(upstream.connections)) })),
  }
}
