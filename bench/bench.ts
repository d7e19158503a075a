/** What every part of the bench works with: the stage, the fake upstream, the load, and how thorough this run is. */
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { type Certificate, makeCertificate } from './certificate.ts'
import type { Size } from './documents.ts'
import type { Work, Yield } from './load.ts'
import { type Server, script } from './servers.ts'
import type { Child, Stage } from './stage.ts'
import type { UpstreamPorts } from './upstream.ts'

export interface Thoroughness {
  readonly rounds: number
  /** Share of the full number of requests in each measured block. */
  readonly effort: number
  /** Every size, every number of callers, every form of answer; otherwise what tells most. */
  readonly complete: boolean
}

export interface Bench extends Thoroughness {
  readonly stage: Stage
  readonly upstream: Child
  readonly ports: UpstreamPorts
  readonly load: Child
  readonly certificate: Certificate | null
  /** The path of nginx; null where there is none. */
  readonly nginx: string | null
}

export async function openBench(stage: Stage, thoroughness: Thoroughness): Promise<Bench> {
  const certificate = makeCertificate(stage.dir)
  const tlsFiles = certificate ? [certificate.certFile, certificate.keyFile] : []
  const upstream = stage.startNode('upstream', [script('upstream.ts')], { args: tlsFiles, talks: true })
  const load = stage.startNode('load', [script('load.ts')], { talks: true })
  const ports = await upstream.call<UpstreamPorts>('ports')
  return { ...thoroughness, stage, upstream, ports, load, certificate, nginx: findNginx() }
}

/** A server, and what it is asked for. */
export interface Lane {
  readonly server: Server
  readonly kind: Work['kind']
  /** Of the job's requests: less than 1 where a program is so slow that the bench would mostly wait for it. */
  readonly share?: number
}

export type Job = Omit<Work, 'port' | 'pid' | 'kind'>

/** Runs one block of load and names the server when an answer is wrong. */
export async function runLoad({ load }: Bench, { server, kind, share = 1 }: Lane, job: Job): Promise<Yield> {
  const requests = Math.max(job.callers, Math.round(job.requests * share))
  const work: Work = { ...job, requests, kind, port: server.port, pid: server.child.pid }
  try {
    return await load.call<Yield>('run', work)
  } catch (error) {
    const complaint = server.child.hasEnded ? ` It has ended: ${server.child.complaint}` : ''
    throw new Error(`${server.name}: ${(error as Error).message}${complaint}`)
  }
}

/**
 * The same job for every lane, round after round, so that a slow moment of the machine meets all of them; every second
 * round in reverse, so that none is always the neighbour of the heaviest. One list of yields per lane, in order.
 */
export async function interleave(
  bench: Bench,
  lanes: readonly Lane[],
  job: Job,
  rounds = bench.rounds,
): Promise<Yield[][]> {
  const yields: Yield[][] = lanes.map(() => [])
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? lanes : lanes.toReversed()
    for (const lane of order) yields[lanes.indexOf(lane)]?.push(await runLoad(bench, lane, job))
  }
  return yields
}

/** So many answers take the pipe about a second. */
const answersOf: Record<Size, number> = { '70KB': 1600, '2MB': 240, '8MB': 64, '16MB': 48 }

/** The same for answers of one size. `starts`: on how many starts of the programs the rounds are spread. */
export function interleaveAnswers(bench: Bench, lanes: readonly Lane[], size: Size, callers: number, starts = 1) {
  const rounds = Math.ceil((size === '70KB' || size === '2MB' ? manyRounds(bench) : bench.rounds) / starts)
  const share = callers === 1 ? 0.5 : 1
  const requests = Math.max(scaled(answersOf[size] * share, callers, bench), callers * 2)
  const job = { wishes: [{ size }], callers, requests, warmUp: Math.max(callers, requests / 8) }
  return interleave(bench, lanes, job, rounds)
}

/**
 * Small answers until the compiler has settled, and some larger ones, which go other ways: how it gets there is no answer's cost.
 * It takes the gateway's wide path 6 000 answers (`--trace-opt` tells). Not scaled: a short run would otherwise measure another
 * program.
 */
export async function warmUp(bench: Bench, lane: Lane): Promise<void> {
  await runLoad(bench, lane, { wishes: [{ size: '70KB' }], callers: 16, requests: 6000 })
  await runLoad(bench, lane, { wishes: [{ size: '2MB' }], callers: 16, requests: 200 })
}

/** Rounds of what a shared machine disturbs most: what is short, and what waits for a disk. */
export function manyRounds({ rounds, complete }: Thoroughness): number {
  return complete ? rounds * 3 : rounds
}

/** Fresh starts of what is measured: how V8 compiles a program differs from start to start, by up to a quarter of its CPU. */
export const startsOf = ({ complete }: Thoroughness): number => (complete ? 3 : 1)

/** Rounds of what is slow and steady: half as many. */
export function fewRounds({ rounds }: Thoroughness): number {
  return Math.ceil(rounds / 2)
}

/** The full number of requests, scaled to how thorough the run is; never fewer than the callers. */
export function scaled(requests: number, callers: number, { effort }: Thoroughness): number {
  return Math.max(callers, Math.round(requests * effort))
}

/** Where Debian puts it is not on the PATH of every user. */
function findNginx(): string | null {
  const folders = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin']
  return folders.map(folder => join(folder, 'nginx')).find(isProgram) ?? null
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}
