/** The first of several processes: it leads the workers and answers the operator for all of them. */
import type { ElsewhereAnswer, ElsewhereRequest } from '../admin/elsewhere.ts'
import { createAdmin, type Readiness } from '../admin/server.ts'
import type { Config } from '../config/config.ts'
import type { Log } from '../telemetry/log.ts'
import { createWorkerMetrics } from '../telemetry/worker-metrics.ts'
import { createFleet, type Fleet } from './fleet.ts'
import { shareOf } from './shares.ts'

export interface LeadParts {
  readonly config: Config
  readonly sandboxUrl: string | null
  readonly log: Log
}

export interface Lead {
  /** The operator's listener, without a port. */
  readonly admin: ReturnType<typeof createAdmin>
  readonly start: Fleet['start']
  /** From now on `/readyz` says no; settles when all workers have ended, at the latest a little after `withinMs`. */
  leave(withinMs: number): Promise<void>
}

/** Metrics are made at most so often. */
const textForMs = 1_000

export function leadWorkers({ config, sandboxUrl, log }: LeadParts): Lead {
  const { workers } = config
  const metrics = createWorkerMetrics({ workersUp: () => fleet.up() })
  /** What each worker said last. */
  const told = new Map<number, string>()
  let leaving = false
  const fleet = createFleet({
    workers,
    task: { config: shareOf(config), sandboxUrl },
    log,
    onEnd: place => {
      metrics.restarted()
      metrics.keep(told.get(place) ?? '')
      told.delete(place)
    },
  })

  async function text(): Promise<string> {
    for (const { place, answer } of await fleet.askAll('metrics', null)) {
      if (answer !== null) told.set(place, answer)
    }
    return metrics.join([...told.values()])
  }

  async function ready(): Promise<Readiness> {
    const answers = (await fleet.askAll('readiness', null)).map(({ answer }) => answer)
    const able = answers.filter(answer => answer !== null)
    const isWhole = able.length === workers
    const names = [...new Set(able.flatMap(({ checks }) => Object.keys(checks)))]
    const checks = Object.fromEntries(names.map(name => [name, able.every(({ checks }) => checks[name] === true)]))
    return {
      ready: isWhole && !leaving && able.every(answer => answer.ready),
      checks: { ...checks, accepting: !leaving && checks.accepting !== false, workers: isWhole },
    }
  }

  let latest: { readonly madeMs: number; readonly text: Promise<string> } | null = null
  const admin = createAdmin({
    token: config.admin.token,
    metrics: {
      contentType: metrics.contentType,
      text() {
        const madeMs = performance.now()
        if (latest === null || madeMs - latest.madeMs >= textForMs) latest = { madeMs, text: text() }
        return latest.text
      },
    },
    ready,
    reports: request => answerElsewhere(request, config, fleet),
  })
  return {
    admin,
    start: () => fleet.start(),
    leave(withinMs) {
      leaving = true
      return fleet.leave(withinMs)
    },
  }
}

/** What lies in Redis any worker can tell. What lies in their memories none of them can tell for all. */
async function answerElsewhere(
  request: ElsewhereRequest,
  { redisUrl }: Config,
  fleet: Fleet,
): Promise<ElsewhereAnswer> {
  if (redisUrl === null)
    return refusal(501, 'not_served', 'Several processes have no figures in common without Redis: set REDIS_URL.')
  const answer = await fleet.askOne('operator', request)
  return answer ?? refusal(503, 'unavailable', 'No worker answers at the moment.')
}

function refusal(status: number, code: string, message: string): ElsewhereAnswer {
  const body = JSON.stringify({ error: { code, message } })
  return { status, headers: { 'content-type': 'application/json; charset=utf-8' }, body }
}
