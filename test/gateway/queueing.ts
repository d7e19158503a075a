/** Callers of a gateway who wait for limits. */
import { once } from 'node:events'
import { onTestFinished } from 'vitest'
import type { CallerLimits, CallerQueue } from '../../src/config/config.ts'
import { ask } from '../helpers/callers.ts'
import { callerOf, type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'

const caller = (id: string, limits: CallerLimits, queue?: CallerQueue) =>
  callerOf(id, { limits, ...(queue && { queue }) })
const patient = { max: 20, waitSeconds: 15 }

const callers = [
  caller('steady', { concurrent: 1 }, patient),
  caller('few', { concurrent: 1 }, { max: 1, waitSeconds: 15 }),
  caller('short', { concurrent: 1 }, { max: 5, waitSeconds: 0.2 }),
  caller('calm', { requestsPerMinute: 9 }, patient),
  caller('impatient', {}),
]

/** For one test. */
export async function openGateway(options: GatewayOptions): Promise<TestGateway> {
  const gateway = await startGateway({ callers, ...options })
  onTestFinished(() => gateway.close())
  return gateway
}

export const paint = (gateway: TestGateway, id: string, body = {}, headers = {}) =>
  ask(
    gateway,
    '/v1/images/generations',
    { prompt: 'A red kite', model: 'gemini-3.1-flash-image', image_size: '512', ...body },
    { authorization: `Bearer key-of-${id}`, ...headers },
  )

const sleep = (ms: number) => new Promise(resolve => setTimeout(resolve, ms))

/** Asks for one after the other: each has arrived when the next is sent. */
export async function inTurn<Answer>(gateway: TestGateway, asks: readonly (() => Promise<Answer>)[]) {
  const { server } = gateway.app.server
  const answers: Promise<Answer>[] = []
  for (const one of asks) {
    const arrived = once(server, 'request')
    answers.push(one())
    await arrived
    // Its body is read and its limits are asked.
    await sleep(25)
  }
  return answers
}
