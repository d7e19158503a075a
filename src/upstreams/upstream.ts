/** One configured upstream: sends one call to it, and either holds its answer or passes it on as it comes. */
import type { IncomingHttpHeaders } from 'node:http'
import type { Bytes } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import { HeldDocument, type HoldingPlaces } from '../memory/held-document.ts'
import type { HttpPool, ResponseHead, TakeChunk } from '../net/pool.ts'
import { DocumentReader, type LongString } from '../streams/document-reader.ts'
import type { Credentials, Headers } from './credentials.ts'
import { EventFeed, type TakeEvent } from './event-feed.ts'
import { failureOf } from './failures.ts'

/** One call, ready to go but for the upstream's own address and key. */
export interface UpstreamCall {
  readonly method: 'GET' | 'POST'
  /** Below the upstream's base address, with its query. */
  readonly path: string
  /** Of the body; absent: JSON. */
  readonly contentType?: string
  readonly body: Bytes | null
  /** What is relayed is a stream of events: the upstream may be silent for long between two of them. */
  readonly isStream?: boolean
  /** Ends the call: the caller left, or the deadline passed. Its reason is a GatewayError. */
  readonly signal: AbortSignal
  /** Gateways this exchange has already passed: handed on, so that a ring of them is noticed. */
  readonly trail: string
  /** The place of the key to call with; absent or null: the one whose turn it is. */
  readonly key?: number | null
  /** Called when the answer's head is there. */
  readonly onFirstByte?: (status: number) => void
}

/** A whole answer, held in memory and past it in a file, until it is released. */
export interface HeldAnswer {
  readonly ok: true
  readonly status: number
  readonly value: unknown
  bytesOf(text: LongString): Bytes
  release(): void
}

/** Servers made with some frameworks answer whatever they create with 201. */
export const isAnswered = (status: number): boolean => status === 200 || status === 201

/** An answer whose status says that it is none, read to its end. */
export interface FailedAnswer {
  readonly ok: false
  readonly status: number
  readonly headers: IncomingHttpHeaders
  /** Without the upstream's keys, should it have repeated one. Empty where it can't be read, or is larger than any error is. */
  readonly body: Buffer
}

/** Where a relayed answer goes. */
export interface RelaySink {
  /** The head of an answer. What it returns takes the body's chunks; they are the socket's again when it returns or its promise settles. */
  start(head: ResponseHead): TakeChunk
  /** The answer has ended as its framing says. @throws GatewayError where it is no whole answer nevertheless. */
  end(): void
}

export type Superseded = (value: unknown) => readonly LongString[]

export interface Upstream {
  readonly name: string
  /**
   * `superseded` looks at what has come of a document and says which pictures in it can't be the answer any more: they are freed.
   * @throws GatewayError where no whole document came.
   */
  hold(call: UpstreamCall, superseded: Superseded): Promise<HeldAnswer | FailedAnswer>
  /**
   * Reads an answer document by document: the events of a stream, the items of an array, or the one that it is. Settles with
   * null when the last was taken; that it was the last of the answer, the protocol must tell.
   * @throws GatewayError where the stream was cut, and what `take` threw. Events that were taken stay held all the same.
   */
  stream(call: UpstreamCall, take: TakeEvent): Promise<FailedAnswer | null>
  /** Settles with null when the whole answer was passed on. @throws GatewayError where it was cut; the sink may have begun. */
  relay(call: UpstreamCall, sink: RelaySink): Promise<FailedAnswer | null>
  /** What a call looks like on the wire, its key masked. */
  describe(
    call: UpstreamCall,
    isStream: boolean,
  ): { readonly url: string; readonly headers: Readonly<Record<string, string>> }
  /** Without the upstream's keys, should it have repeated one in a text of its own. */
  scrub(text: string): string
  close(): Promise<void>
}

export interface UpstreamParts {
  readonly name: string
  readonly origin: string
  /** The path of the base address; empty for a bare root. */
  readonly basePath: string
  readonly pool: HttpPool
  readonly credentials: Credentials
  readonly places: HoldingPlaces
  readonly maxDocumentBytes: number
  readonly userAgent: string
}

// Each look parses the skeleton anew: enough for the drafts of any model, and no work for a document made of long strings.
const mostLooks = 64
const longestErrorBytes = 1 << 20

export function createUpstream(parts: UpstreamParts): Upstream {
  const { name, pool, credentials, places, maxDocumentBytes } = parts

  async function send(call: UpstreamCall, onHead: (head: ResponseHead) => TakeChunk, isStream = false): Promise<void> {
    let sent = false
    try {
      const { method, body, signal } = call
      const onSent = () => {
        sent = true
      }
      const path = parts.basePath + call.path
      const key = credentials.headers(call.key ?? null)
      const headers = headersOf(call, key instanceof Promise ? await key : key, isStream)
      await pool.send({ method, path, headers, body, signal, onSent, isStream }, onHead)
    } catch (error) {
      throw failureOf(error, sent)
    }
  }

  function headersOf(
    { body, contentType, trail }: UpstreamCall,
    key: Headers,
    isStream: boolean,
  ): Record<string, string> {
    return {
      accept: isStream ? 'text/event-stream, application/json' : 'application/json',
      // Images in base64 barely shrink, and what is not compressed need not be inflated.
      'accept-encoding': 'identity',
      'user-agent': parts.userAgent,
      ...key,
      'x-plantain-trail': trail,
      ...(body && { 'content-type': contentType ?? 'application/json' }),
    }
  }

  function failed(collected: Collector, { status, headers }: ResponseHead): FailedAnswer {
    // What was compressed unasked can't be read, and would be garbage to the caller too, as is a piece of JSON.
    const body = Buffer.concat(isCompressed(headers) || !collected.isWhole ? [] : collected.chunks)
    return {
      ok: false,
      status,
      headers,
      body: credentials.contains(body) ? Buffer.from(credentials.scrub(body.toString())) : body,
    }
  }

  return {
    name,

    async hold(call, superseded) {
      const held = new HeldDocument(places, call.signal)
      const reader = new DocumentReader()
      const collected = new Collector()
      const freeSuperseded = (value: unknown) => {
        for (const { start, length } of superseded(value)) held.discard(start, length)
      }
      let answer: ResponseHead | undefined
      try {
        await send(call, head => {
          answer = head
          call.onFirstByte?.(head.status)
          if (!isAnswered(head.status)) return collected.take
          refuseEncoding(head)
          return chunk => {
            if (held.length + chunk.length > maxDocumentBytes) throw tooLarge(maxDocumentBytes)
            const before = reader.longStrings.length
            reader.push(chunk)
            const waits = held.append(chunk)
            const now = reader.longStrings.length
            if (before > 0 && now > before && now <= mostLooks) freeSuperseded(reader.peek())
            return waits
          }
        })
        if (!answer) throw new GatewayError('upstream-failed', 'The upstream sent no answer.')
        if (!isAnswered(answer.status)) {
          held.release()
          return failed(collected, answer)
        }
        const writing = held.complete()
        if (writing) await writing
        const { value } = reader.finish()
        if (reader.longStrings.length > 1) freeSuperseded(value)
        return {
          ok: true,
          status: answer.status,
          value,
          bytesOf: text => held.slice(text.start, text.length),
          release: () => held.release(),
        }
      } catch (error) {
        held.release()
        throw failureOf(error, true)
      }
    },

    async stream(call, take) {
      const feed = new EventFeed(places, call.signal, take)
      const collected = new Collector()
      let answer: ResponseHead | undefined
      try {
        const begin = (head: ResponseHead): TakeChunk => {
          answer = head
          call.onFirstByte?.(head.status)
          if (!isAnswered(head.status)) return collected.take
          refuseEncoding(head)
          feed.start(head.headers['content-type'] ?? '')
          return chunk => {
            if (feed.length + chunk.length > maxDocumentBytes) throw tooLarge(maxDocumentBytes)
            return feed.push(chunk)
          }
        }
        await send({ ...call, signal: feed.signal }, begin, true)
        if (answer && !isAnswered(answer.status)) return failed(collected, answer)
        await feed.finish()
        return null
      } catch (error) {
        throw failureOf(error, true)
      } finally {
        await feed.close()
      }
    },

    async relay(call, sink) {
      const collected = new Collector()
      let answer: ResponseHead | undefined
      await send(
        call,
        head => {
          answer = head
          call.onFirstByte?.(head.status)
          if (!isAnswered(head.status)) return collected.take
          refuseEncoding(head)
          return sink.start(head)
        },
        call.isStream,
      )
      if (answer && !isAnswered(answer.status)) return failed(collected, answer)
      sink.end()
      return null
    },

    describe: (call, isStream) => ({
      url: parts.origin + parts.basePath + call.path,
      headers: headersOf(call, credentials.masked(), isStream),
    }),

    scrub: text => credentials.scrub(text),

    close: () => pool.close(),
  }
}

/** Keeps an error body of a megabyte at most: copies, since the chunks are the socket's again at once. */
class Collector {
  readonly chunks: Buffer[] = []
  #length = 0

  get isWhole(): boolean {
    return this.#length <= longestErrorBytes
  }

  readonly take = (chunk: Buffer): undefined => {
    this.#length += chunk.length
    if (this.isWhole) this.chunks.push(Buffer.from(chunk))
  }
}

function isCompressed({ 'content-encoding': encoding = 'identity' }: IncomingHttpHeaders): boolean {
  return encoding !== '' && encoding !== 'identity'
}

function refuseEncoding({ headers }: ResponseHead): void {
  if (!isCompressed(headers)) return
  throw new GatewayError('upstream-failed', 'The upstream sent a compressed answer, though none was asked for.')
}

const tooLarge = (bytes: number) =>
  new GatewayError(
    'upstream-failed',
    `The upstream's answer is larger than the ${bytes} bytes of answers.max_document.`,
    {
      final: true,
    },
  )
