/** What the first process and its workers tell each other, over node:cluster's channel. */

import type { ElsewhereAnswer, ElsewhereRequest } from '../admin/elsewhere.ts'
import type { Readiness } from '../admin/server.ts'
import type { Config } from '../config/config.ts'

/** A worker's only argument: so it shows in the list of processes. */
export const workerArgument = 'worker'

/** What a worker is to do. The configuration was read once, by the first process: a file that was edited since changes nothing. */
export interface Task {
  readonly config: Config
  /** Where the sandbox listens, when it stands in for upstreams: one for all. */
  readonly sandboxUrl: string | null
  /** Of the workers, from 0. What is the same for all of them the first one says. */
  readonly place: number
}

/** What can be asked of a worker, and its answer. */
export interface Questions {
  readonly metrics: { readonly question: null; readonly answer: string }
  readonly readiness: { readonly question: null; readonly answer: Readiness }
  readonly operator: { readonly question: ElsewhereRequest; readonly answer: ElsewhereAnswer }
}

export type Asked = {
  [About in keyof Questions]: {
    readonly what: 'ask'
    readonly id: number
    readonly about: About
    readonly question: Questions[About]['question']
  }
}[keyof Questions]

export type ToWorker = { readonly what: 'begin'; readonly task: Task } | { readonly what: 'drain' } | Asked

export type FromWorker =
  | { readonly what: 'listening'; readonly address: string }
  /** `answer` null: the worker could not say. */
  | { readonly what: 'answer'; readonly id: number; readonly answer: Questions[keyof Questions]['answer'] | null }

/** The first worker ended before it served. It has said by itself what was wrong. */
export class WorkerFailed extends Error {
  readonly exitCode: number

  constructor(exitCode: number) {
    super('The first worker did not start.')
    this.name = 'WorkerFailed'
    this.exitCode = exitCode
  }
}
