/** How the run talks with the processes it starts: named calls over Node's own channel to a child, one answer each. */
import type { ChildProcess } from 'node:child_process'

interface Call {
  readonly id: number
  readonly name: string
  readonly input: unknown
}

interface Answer {
  readonly id: number
  readonly result?: unknown
  readonly error?: string
}

/** What a child answers to, by name. The input is whatever the run sent: both ends are files of this folder. */
export type Handlers = Readonly<Record<string, (input: never) => unknown>>

/** In the child: answers the run's calls, and ends this process when the run is gone. Keeps the process alive until then. */
export function answerRun(handlers: Handlers): void {
  process.on('message', async ({ id, name, input }: Call) => {
    try {
      process.send?.({ id, result: await handlers[name]?.(input as never) })
    } catch (error) {
      process.send?.({ id, error: error instanceof Error ? error.message : String(error) })
    }
  })
  process.on('disconnect', () => process.exit(1))
}

let lastId = 0

/** In the run: calls a child and waits for its answer. Throws what the child threw, or that the child is gone. */
export function callChild<Result>(child: ChildProcess, name: string, input: unknown): Promise<Result> {
  const id = ++lastId
  return new Promise((resolve, reject) => {
    const settle = (settled: () => void) => {
      child.off('message', read).off('exit', left)
      settled()
    }
    const read = (answer: Answer) => {
      if (answer.id !== id) return
      settle(() => (answer.error === undefined ? resolve(answer.result as Result) : reject(new Error(answer.error))))
    }
    const left = () => settle(() => reject(new Error(`The process ended while it was asked to ${name}.`)))
    child.on('message', read).on('exit', left)
    child.send({ id, name, input })
  })
}
