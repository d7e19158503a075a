/** The log: JSON lines, one per exchange and a few about the process. pino's only door. Nothing reaches a line but what is named here. */
import { type Level, pino, stdTimeFunctions } from 'pino'
import type { LogLevel } from '../config/config.ts'
import type { ExchangeRecord } from './record.ts'
import { createScrub } from './scrub.ts'
import { createSink, type Sink, standardOutput } from './sink.ts'

export interface LogParams {
  readonly level: LogLevel
  /** Takes whole lines; absent: standard output, written in the background. */
  readonly destination?: { write(line: string): void }
  /** What must never appear in a line, literally: upstream keys, the admin token, passwords. */
  readonly secrets?: readonly string[]
  /** Other processes write to the same output: lines must not run into each other's. */
  readonly shared?: boolean
}

/** Facts beside a message. Text and errors are scrubbed of secrets and bounded; objects have no way in. */
export type LogFacts = Readonly<Record<string, string | number | boolean | null | Error>>

export interface Log {
  /** The one line about an exchange. No prompt, no key, no image, no address with its query. */
  exchangeLine(record: ExchangeRecord): void
  debug(message: string, facts?: LogFacts): void
  info(message: string, facts?: LogFacts): void
  warn(message: string, facts?: LogFacts): void
  error(message: string, facts?: LogFacts): void
  fatal(message: string, facts?: LogFacts): void
  /** To be awaited before the process exits: the last lines are written, unless nobody reads them for a second. */
  flush(): Promise<void>
}

const waitingBytes = 16 * 1024 * 1024
const flushMs = 1000
/** Linux' PIPE_BUF: what is written to a pipe at once and is no longer than this stays together (POSIX write). */
const wholeWriteBytes = 4096
/** A model name is the caller's to choose, and may be a page long. */
const modelChars = 200

export function createLog({ level, destination, secrets, shared = false }: LogParams): Log {
  const scrub = createScrub(secrets)
  const lines: Pick<Sink, 'write'> & Partial<Sink> =
    destination ?? createSink(standardOutput(), waitingBytes, droppedLine, shared ? wholeWriteBytes : undefined)
  const logger = pino(
    { level, base: null, timestamp: stdTimeFunctions.isoTime, formatters: { level: label => ({ level: label }) } },
    lines,
  )
  const line =
    (at: Level) =>
    (message: string, facts: LogFacts = {}): void => {
      if (!logger.isLevelEnabled(at)) return
      logger[at](safeFacts(facts, scrub), scrub(message))
    }

  return {
    exchangeLine(record) {
      const at = levelOf(record)
      if (!logger.isLevelEnabled(at)) return
      // As pino would write it, without the work it does for fields that it does not know.
      const time = new Date().toISOString()
      lines.write(`${JSON.stringify({ level: at, time, ...exchangeFields(record, scrub), msg: 'exchange' })}\n`)
    },
    debug: line('debug'),
    info: line('info'),
    warn: line('warn'),
    error: line('error'),
    fatal: line('fatal'),
    async flush() {
      await lines.flush?.(flushMs)
    },
  }
}

/** `error`: a fault of ours. `warn`: the upstream's. What callers ask wrongly or too often is their ordinary business. */
function levelOf({ error, status, outcome }: ExchangeRecord): Level {
  if (error?.kind === 'internal') return 'error'
  return outcome === 'timeout' || (outcome === 'failed' && status >= 500) ? 'warn' : 'info'
}

/** An explicit list: a fact that is added to the record stays out of the log until it is named here. */
function exchangeFields(record: ExchangeRecord, scrub: (text: string) => string): object {
  const { usage, error } = record
  const known = record.modelKnown ? record.model : null
  const modelName = (name: string | null) => (name === null || name === known ? name : scrub(name).slice(0, modelChars))
  return {
    requestId: record.requestId,
    caller: record.caller,
    protocol: record.protocol,
    operation: record.operation,
    modelAsked: modelName(record.modelAsked),
    model: modelName(record.model),
    upstream: record.upstream,
    attempts: record.attempts,
    outcome: record.outcome,
    status: record.status,
    images: record.images,
    resolution: record.resolution,
    bytesIn: record.bytesIn,
    bytesOut: record.bytesOut,
    durationMs: tenths(record.durationMs),
    ...(record.queuedMs > 0 && { queuedMs: tenths(record.queuedMs) }),
    upstreamMs: record.upstreamMs === null ? null : tenths(record.upstreamMs),
    firstByteMs: record.firstByteMs === null ? null : tenths(record.firstByteMs),
    ...(usage && { inputTokens: usage.inputTokens, outputTokens: usage.outputTokens }),
    ...(record.costMicroUsd !== undefined && { costUsd: record.costMicroUsd / 1e6 }),
    ...(record.refusalReason !== undefined && { refusalReason: scrub(record.refusalReason) }),
    ...(error && { errorKind: error.kind, errorMessage: scrub(error.message) }),
    ...(error?.cause && { errorCause: scrub(error.cause) }),
  }
}

const tenths = (ms: number): number => Math.round(ms * 10) / 10

function safeFacts(facts: LogFacts, scrub: (text: string) => string): object {
  const safe = (value: LogFacts[string]): unknown => {
    if (typeof value === 'string') return scrub(value)
    return value instanceof Error ? errorFields(value, scrub) : value
  }
  return Object.fromEntries(Object.entries(facts).map(([name, value]) => [name, safe(value)]))
}

/** An error as far as its stack, which repeats the message. Its other properties may hold requests and headers, and stay out. */
function errorFields(error: Error, scrub: (text: string) => string): object {
  const code = 'code' in error && typeof error.code === 'string' ? { code: error.code } : {}
  const cause = error.cause instanceof Error ? { cause: scrub(`${error.cause.name}: ${error.cause.message}`) } : {}
  return { name: error.name, ...code, message: scrub(error.message), stack: scrub(error.stack ?? ''), ...cause }
}

function droppedLine(count: number): string {
  return `${JSON.stringify({ level: 'warn', time: new Date().toISOString(), dropped: count, msg: 'log lines dropped: nobody read them' })}\n`
}
