/** Gateways in processes of their own, and what their admissions say about limits. */
import { type ChildProcess, fork } from 'node:child_process'
import { once } from 'node:events'
import type { Burst, Setting, Tried } from './gateway-process.ts'

export interface Gateway {
  burst(burst: Omit<Burst, 'nth'>): Promise<readonly Tried[]>
  kill(): Promise<void>
}

export async function startGateway(setting: Setting): Promise<Gateway> {
  const child: ChildProcess = fork(new URL('./gateway-process.ts', import.meta.url), [JSON.stringify(setting)])
  const answers = new Map<number, (tried: readonly Tried[]) => void>()
  child.on('message', ({ nth, tried }: { nth: number; tried: readonly Tried[] }) => answers.get(nth)?.(tried))
  async function kill() {
    if (child.exitCode === null && child.signalCode === null && child.kill('SIGKILL')) await once(child, 'exit')
  }
  await once(child, 'message')
  let sent = 0
  return {
    burst(burst) {
      const nth = ++sent
      const { promise, resolve } = Promise.withResolvers<readonly Tried[]>()
      answers.set(nth, resolve)
      child.send({ ...burst, nth })
      return promise
    },
    kill,
  }
}

/** The most admissions that are sure to lie within one stretch of this length, wherever it begins. */
export function mostWithin(windowMs: number, tried: readonly (Tried & { readonly weight?: number })[]): number {
  const admitted = tried.filter(one => one.admitted)
  const inside = admitted.map(({ askedMs: startMs }) => {
    const sure = admitted.filter(({ askedMs, toldMs }) => askedMs >= startMs && toldMs < startMs + windowMs)
    return sure.reduce((sum, { weight = 1 }) => sum + weight, 0)
  })
  return Math.max(0, ...inside)
}
