/** What a gateway that was killed still holds after 35 s: counted by the members of the ZSET of leases, and by who is admitted. */
import { setTimeout as sleep } from 'node:timers/promises'
import { defaultTimes } from '../../src/limits/store.ts'
import { startGateway } from '../../test/limits/gateways.ts'
import type { Findings } from '../figure.ts'
import { startRedis } from './redis.ts'

const perGateway = 25
const concurrent = 4 * perGateway
const microUsd = 10_000
const afterMs = 35_000

export async function measureCrash(): Promise<Findings> {
  await using redis = await startRedis()
  const gateways = await Promise.all(
    [1, 2, 3, 4].map(() => startGateway({ url: redis.url, tag: 'bench', ...defaultTimes })),
  )
  try {
    // Places and money for a hundred calls: both are used up, so nobody is admitted by what was not given back.
    const burst = {
      caller: 'crash',
      limits: { concurrent, budgetMicroUsdPerDay: concurrent * microUsd },
      microUsd,
      holdMs: null,
    }
    for (const gateway of gateways) await gateway.burst({ ...burst, count: perGateway })
    const [doomed, other] = gateways
    await doomed?.kill()
    await sleep(afterMs)
    const living = concurrent - perGateway
    const leases = await redis.admin.zcount('{bench:caller}:c:crash:concurrent', '-inf', '+inf')
    const tried = (await other?.burst({ ...burst, count: concurrent })) ?? []
    const admitted = tried.filter(one => one.admitted).length
    // Whoever came meanwhile swept what had lapsed: what is counted is what lives.
    const left = await redis.admin.zcard('{bench:caller}:c:crash:concurrent')
    return {
      figures: [
        {
          name: 'leaked leases or reservations 35 s after kill -9 of 1 of 4 gateways, by ZCARD and by admission',
          unit: '',
          values: [left - living - admitted, perGateway - admitted],
          atMost: 0,
          judged: 'each',
        },
      ],
      details: [
        {
          title: `Kill -9 with ${perGateway} of ${concurrent} calls under way`,
          head: ['leases that live', 'members before anybody came', 'admitted then, of 25', 'members then'],
          rows: [[living, leases, admitted, left].map(String)],
        },
      ],
      notes: [],
    }
  } finally {
    await Promise.all(gateways.map(gateway => gateway.kill()))
  }
}
