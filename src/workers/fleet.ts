/** The workers: started, started again when they end, asked, and told to leave. node:cluster's only door. */
import cluster, { type Worker } from 'node:cluster'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Log } from '../telemetry/log.ts'
import { type FromWorker, type Questions, type Task, type ToWorker, WorkerFailed, workerArgument } from './messages.ts'
import { createRestarts, type Restarts } from './restarts.ts'

export interface FleetParts {
  readonly workers: number
  readonly task: Omit<Task, 'place'>
  readonly log: Log
  /** A worker has ended that was not told to. `place`: from 0, that of its successor too. */
  readonly onEnd: (place: number) => void
}

export interface Answer<Value> {
  readonly place: number
  /** Null: it could not say, or not in time. */
  readonly answer: Value | null
}

export interface Fleet {
  /** Starts one worker, and when it serves the others. @returns where they listen. @throws WorkerFailed where the first one ends. */
  start(): Promise<string>
  /** Those that serve now. */
  up(): number
  /** Asks each that serves, and tells of those that serve still when all have answered. */
  askAll<About extends keyof Questions>(
    about: About,
    question: Questions[About]['question'],
  ): Promise<readonly Answer<Questions[About]['answer']>[]>
  /** Asks one that serves, each time another. Null: none can say. */
  askOne<About extends keyof Questions>(
    about: About,
    question: Questions[About]['question'],
  ): Promise<Questions[About]['answer'] | null>
  /** Each finishes what it has begun; after `withinMs` it is killed. Settles when all have ended. */
  leave(withinMs: number): Promise<void>
}

/** A worker that does not answer for so long is stuck. */
const answerMs = 1_000

interface Place {
  readonly index: number
  readonly restarts: Restarts
  worker: Worker | null
  serves: boolean
}

export function createFleet({ workers, task, log, onEnd }: FleetParts): Fleet {
  const places = Array.from(
    { length: workers },
    (_, index): Place => ({ index, restarts: createRestarts(() => performance.now()), worker: null, serves: false }),
  )
  const waiting = new Map<number, (answer: Questions[keyof Questions]['answer'] | null) => void>()
  let asked = 0
  let turn = 0
  let { port } = task.config.listen
  let address: string | null = null
  let begun = false
  let leaving = false
  // Configurations hold maps, which JSON does not.
  cluster.setupPrimary({ args: [workerArgument], serialization: 'advanced' })

  const serving = () => places.filter(({ serves }) => serves)

  /** Settles when it serves; rejects where it ends before. */
  function startWorker(place: Place): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>()
    // Port 0 was a free one, and is where all others are to listen.
    if (address !== null) port = Number(new URL(address).port)
    const worker = cluster.fork()
    place.worker = worker
    place.restarts.started()
    worker.on('message', (message: FromWorker) => {
      if (message.what === 'answer') {
        waiting.get(message.id)?.(message.answer)
        return
      }
      place.serves = true
      address = message.address
      resolve(message.address)
    })
    worker.on('error', error => log.warn('a worker could not be told something', { error }))
    worker.once('exit', (code, signal) => {
      place.worker = null
      place.serves = false
      // Of no meaning where it served, or where nobody asks any more.
      if (!leaving) reject(new WorkerFailed(code || 1))
      ended(place, { pid: worker.process.pid ?? null, code, signal })
    })
    const config = { ...task.config, listen: { ...task.config.listen, port } }
    tell(worker, { what: 'begin', task: { ...task, config, place: place.index } })
    return promise
  }

  function ended(place: Place, facts: { pid: number | null; code: number; signal: string | null }) {
    if (leaving || !begun) return
    const waitMs = place.restarts.waitMs()
    log.error('a worker ended, and is started again', { ...facts, waitMs })
    onEnd(place.index)
    void sleep(waitMs).then(() => {
      // Whether it serves shows; where it ends again, that is told and counted too.
      if (!leaving) startWorker(place).catch(() => {})
    })
  }

  async function ask<About extends keyof Questions>(
    { worker }: Place,
    about: About,
    question: Questions[About]['question'],
  ): Promise<Questions[About]['answer'] | null> {
    if (!worker) return null
    const id = asked++
    const { promise, resolve } = Promise.withResolvers<Questions[About]['answer'] | null>()
    const late = setTimeout(resolve, answerMs, null)
    waiting.set(id, answer => resolve(answer as Questions[About]['answer'] | null))
    tell(worker, { what: 'ask', id, about, question } as ToWorker)
    const answer = await promise
    clearTimeout(late)
    waiting.delete(id)
    return answer
  }

  return {
    async start() {
      const [first, ...others] = places
      if (!first) throw new RangeError('A fleet needs a worker.')
      // Alone, so that what is wrong with the start is said once.
      const listensOn = await startWorker(first)
      begun = true
      await Promise.all(others.map(place => startWorker(place).catch(() => {})))
      return listensOn
    },
    up: () => serving().length,
    async askAll(about, question) {
      const asked = serving().map(place => ({ place, worker: place.worker }))
      const answers = await Promise.all(
        asked.map(async ({ place }) => ({ place: place.index, answer: await ask(place, about, question) })),
      )
      // What was said by one that has ended since is none of its successor's.
      return answers.filter((_, index) => asked[index]?.worker === asked[index]?.place.worker)
    },
    async askOne(about, question) {
      const able = serving()
      const place = able[turn++ % Math.max(1, able.length)]
      return place ? ask(place, about, question) : null
    },
    async leave(withinMs) {
      leaving = true
      const live = places.flatMap(({ worker }) => (worker ? [worker] : []))
      const allEnded = Promise.all(
        live.map(worker => {
          const { promise, resolve } = Promise.withResolvers<void>()
          worker.once('exit', () => resolve())
          tell(worker, { what: 'drain' })
          return promise
        }),
      )
      const late = sleep(withinMs, 'late', { ref: false })
      if ((await Promise.race([allEnded, late])) !== 'late') return
      log.warn('workers are killed: they did not end by themselves')
      for (const worker of live) worker.process.kill('SIGKILL')
      await allEnded
    },
  }
}

/** One that is gone needs to hear nothing. */
function tell(worker: Worker, message: ToWorker): void {
  if (worker.isConnected()) worker.send(message)
}
