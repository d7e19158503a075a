/** The caller's end of a relay: the upstream's bytes as they come, and a reader beside them. */
import type { ServerResponse } from 'node:http'
import { GatewayError, type Outcome } from '../images/error.ts'
import type { AnswerMemory } from '../memory/answer-memory.ts'
import type { ResponseHead, TakeChunk } from '../net/pool.ts'
import type { Observation } from '../protocols/protocol.ts'
import { isEventStream } from '../streams/event-lines.ts'
import { type AnswerReader, createAnswerReader } from '../streams/event-reader.ts'
import type { RelaySink } from '../upstreams/upstream.ts'
import { cut, cutWhenStalled, ended, unbuffered } from './send.ts'
import type { Conversation } from './serve.ts'

// `write` says «wait» for any chunk as large as the socket's mark, though the kernel took it at once: and each wait pauses the
// upstream's socket. So what really waits for the caller is counted.
const mostQueuedBytes = 1024 * 1024

/** What the documents of an answer in the upstream's protocol say. */
type Observe = (values: readonly unknown[]) => Observation

export interface SinkParts {
  readonly memory: AnswerMemory
  readonly writeTimeoutMs: number
  readonly observe: Observe
  /** Documents come one by one, whatever their frame is. Absent: where the answer says that it is one of events. */
  readonly isStream?: boolean
}

/**
 * Writes a relayed answer to the caller. Until its first byte is out, a failure is still told as one; after it, all that can
 * be done is to cut the connection, so that nobody takes a half for the whole.
 */
export class ResponseSink implements RelaySink {
  readonly #conversation: Conversation
  readonly #response: ServerResponse
  readonly #memory: AnswerMemory
  readonly #writeTimeoutMs: number
  readonly #observe: Observe
  readonly #isStream: boolean
  /** Chunks lie in the upstream socket's memory, so each is retained until it is out. They go out in order. */
  readonly #held: Buffer[] = []
  #headers: Readonly<Record<string, string>> = {}
  #first: Buffer | null = null
  #over: Promise<void> | null = null
  /** Its last chunk was written. */
  #isWhole = false
  #missingEnd = ''
  #reader: AnswerReader | null = null
  /** For the caller to take what is queued. */
  #wait: PromiseWithResolvers<void> | null = null
  #gathers = false

  constructor(conversation: Conversation, { memory, writeTimeoutMs, observe, isStream = false }: SinkParts) {
    this.#conversation = conversation
    this.#observe = observe
    this.#isStream = isStream
    this.#response = conversation.response
    this.#memory = memory
    this.#writeTimeoutMs = writeTimeoutMs
  }

  start({ headers }: ResponseHead): TakeChunk {
    const told = headers['content-type'] ?? ''
    const type = contentType(told)
    const length = headers['content-length']
    const reader = createAnswerReader(type)
    let missing = Number(length ?? Number.POSITIVE_INFINITY)
    this.#reader = reader
    const isLive = isEventStream(type) || (this.#isStream && isJson(told))
    this.#headers = { 'content-type': type, ...(length && { 'content-length': length }), ...(isLive && unbuffered) }
    // A short document that is none (a proxy's page) comes in one piece: it waits for the next, or for the end. A stream does not.
    const firstWaits = length === undefined && !isLive
    return chunk => {
      reader.push(chunk)
      missing -= chunk.length
      // With its last byte a caller would have as many as were announced, and take them for a whole answer.
      if (missing === 0 && reader.isCut()) throw cutAnswer()
      this.#memory.retain(chunk)
      this.#held.push(chunk)
      if (!this.#first && firstWaits) {
        this.#first = chunk
        return undefined
      }
      void this.#begin()
      this.#write(chunk)
      if (this.#isQueueShort()) return undefined
      this.#writeGathered()
      if (this.#isQueueShort()) return undefined
      this.#wait ??= Promise.withResolvers<void>()
      return this.#wait.promise
    }
  }

  end(): void {
    if (!this.#over && !this.#first) throw new GatewayError('upstream-failed', 'The upstream sent an empty answer.')
    if (this.#reader?.isCut()) throw cutAnswer()
    void this.#begin()
    if (!this.#headers['content-length']) this.#missingEnd = this.#reader?.missingEnd() ?? ''
    this.#conversation.exchange.record.bytesOut += this.#missingEnd.length
    this.#isWhole = true
    this.#endWhenOut()
  }

  /** Settles when the last byte is out; cuts the caller's answer where the upstream's was cut. */
  async finish(relay: Promise<Outcome>): Promise<Outcome> {
    try {
      const outcome = await relay
      await this.#over
      return outcome
    } catch (error) {
      if (this.#over) cut(this.#response)
      throw error
    } finally {
      // What was written to a connection that is gone may never be called out.
      for (const chunk of this.#held.splice(0)) this.#memory.release(chunk)
    }
  }

  observed(): Observation {
    return this.#observe(this.#reader?.finish() ?? [])
  }

  /** The commit point. @returns what settles when the answer is out. */
  #begin(): Promise<void> {
    if (this.#over) return this.#over
    const over = ended(this.#response)
    this.#over = over
    over.catch(error => this.#wait?.reject(error))
    this.#response.on('drain', this.#goOn)
    cutWhenStalled(this.#response, this.#writeTimeoutMs)
    this.#conversation.exchange.record.status = 200
    this.#response.writeHead(200, { ...this.#conversation.headers(), ...this.#headers })
    if (this.#first) this.#write(this.#first)
    return over
  }

  #write(chunk: Buffer): void {
    this.#conversation.exchange.record.bytesOut += chunk.length
    this.#gather()
    this.#response.write(chunk, this.#letGo)
  }

  /** What arrives in one turn of the event loop goes out in one write: one for each chunk took a fifth of a relay's CPU. */
  #gather(): void {
    if (this.#gathers) return
    this.#gathers = true
    // The socket rather than the answer, which would uncork it before it writes its gathered chunks.
    this.#response.socket?.cork()
    setImmediate(this.#writeGathered)
  }

  readonly #writeGathered = () => {
    if (!this.#gathers) return
    this.#gathers = false
    this.#response.socket?.uncork()
  }

  #isQueueShort(): boolean {
    return this.#response.writableLength <= mostQueuedBytes
  }

  readonly #letGo = () => {
    const chunk = this.#held.shift()
    if (chunk) this.#memory.release(chunk)
    this.#endWhenOut()
  }

  /** Not before, for what `endOnce` of send.ts says. */
  #endWhenOut(): void {
    if (this.#isWhole && this.#held.length === 0) this.#response.end(this.#missingEnd)
  }

  readonly #goOn = () => {
    this.#wait?.resolve()
    this.#wait = null
  }
}

/** What is no stream of events is JSON, or is cut: and SDKs take JSON of any other name for a text, or for nothing. */
const contentType = (told: string) => (isEventStream(told) || isJson(told) ? told : 'application/json; charset=UTF-8')

const isJson = (told: string) => told.startsWith('application/json')

const cutAnswer = () => new GatewayError('upstream-failed', "The upstream's answer was cut or is not valid JSON.")
