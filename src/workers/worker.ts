/** A worker's side: takes its task from the first process, and answers what that asks. */

import type { Elsewhere } from '../admin/elsewhere.ts'
import type { Readiness } from '../admin/server.ts'
import { frozen } from '../config/frozen.ts'
import type { Asked, FromWorker, Questions, Task, ToWorker } from './messages.ts'
import { workerArgument } from './messages.ts'

/** What a worker can be asked for. */
export interface WorkerParts {
  /** Where the public listener is. */
  readonly address: string
  readonly metricsText: () => Promise<string>
  readonly readiness: () => Readiness
  readonly answerOperator: Elsewhere
  /** Finishes what is under way and ends the process. */
  readonly leave: () => Promise<void>
}

export interface WorkerRole {
  readonly task: Task
  /** Tells the first process that this one serves. */
  serve(parts: WorkerParts): void
}

/** Null: this process is no worker. Without the first process Node ends a worker by itself. */
export async function takeRole(): Promise<WorkerRole | null> {
  if (process.argv[2] !== workerArgument || process.send === undefined) return null
  const { promise, resolve } = Promise.withResolvers<Task>()
  let parts: WorkerParts | null = null
  process.on('message', (message: ToWorker) => {
    if (message.what === 'begin') resolve(message.task)
    else if (message.what === 'ask') void answer(message, parts)
    else if (parts) void parts.leave()
    // Nothing has begun that would have to be finished.
    else process.exit(0)
  })
  const task = await promise
  return {
    task: { ...task, config: frozen(task.config) },
    serve(given) {
      parts = given
      tell({ what: 'listening', address: given.address })
    },
  }
}

async function answer(asked: Asked, parts: WorkerParts | null): Promise<void> {
  const found = parts && (await answerOf(asked, parts).catch(() => null))
  tell({ what: 'answer', id: asked.id, answer: found })
}

async function answerOf(asked: Asked, parts: WorkerParts): Promise<Questions[keyof Questions]['answer']> {
  switch (asked.about) {
    case 'metrics':
      return parts.metricsText()
    case 'readiness':
      return parts.readiness()
    case 'operator':
      return parts.answerOperator(asked.question)
  }
}

/** The first process may be gone: then so is this one, in a moment. */
function tell(message: FromWorker): void {
  process.send?.(message, undefined, undefined, () => {})
}
