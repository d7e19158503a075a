/** Pictures as a stream of events, in any protocol: each goes out as it comes, and what is silent for long says that it lives. */
import type { ServerResponse } from 'node:http'
import type { PaintedAnswer, Watcher } from '../gateway/painting.ts'
import { type Bytes, isInMemory } from '../images/bytes.ts'
import type { GatewayError, Outcome } from '../images/error.ts'
import type { EventEncoder } from '../protocols/protocol.ts'
import { cut, cutWhenStalled, ended, unbuffered, written } from './send.ts'
import type { Conversation } from './serve.ts'

export interface StreamSettings {
  /** After so much silence a heartbeat goes out. The first one commits to status 200. */
  readonly heartbeatMs: number
  readonly writeTimeoutMs: number
}

/**
 * Serves one answer as a stream. The head waits for the first event or the first heartbeat: until then a failure has its own
 * status, from then on it is an event.
 */
export async function streamPaintings(
  conversation: Conversation,
  encoder: EventEncoder,
  settings: StreamSettings,
  paint: (watcher: Watcher) => Promise<PaintedAnswer>,
): Promise<Outcome> {
  const events = new EventWriter(conversation, encoder, settings)
  conversation.onLateFailure(failure => events.fail(failure))
  const tell = async (answer: PaintedAnswer) => {
    try {
      await events.send(encoder.finished(answer))
    } finally {
      answer.release()
    }
  }
  try {
    const last = await paint({
      draft: (draft, index) => events.send(encoder.draft(draft, index)),
      // Whoever left is heard of by all that comes after.
      painted: answer => void tell(answer).catch(() => {}),
    })
    await tell(last)
    await events.end()
    return 'ok'
  } catch (error) {
    if (encoder.isAnswer(error)) void events.begin()
    throw error
  } finally {
    events.stop()
  }
}

class EventWriter {
  readonly #conversation: Conversation
  readonly #response: ServerResponse
  readonly #encoder: EventEncoder
  readonly #settings: StreamSettings
  readonly #heartbeat: NodeJS.Timeout
  #over: Promise<void> | null = null
  /** Frames go out one behind the other, whoever sends them. */
  #sent: Promise<void> = Promise.resolve()
  #waiting = 0

  constructor(conversation: Conversation, encoder: EventEncoder, settings: StreamSettings) {
    this.#conversation = conversation
    this.#response = conversation.response
    this.#encoder = encoder
    this.#settings = settings
    this.#heartbeat = setInterval(() => this.#beat(), settings.heartbeatMs)
  }

  /** The commit point. */
  begin(): Promise<void> {
    if (this.#over) return this.#over
    const over = ended(this.#response)
    this.#over = over
    cutWhenStalled(this.#response, this.#settings.writeTimeoutMs)
    this.#conversation.exchange.record.status = 200
    this.#response.writeHead(200, {
      ...this.#conversation.headers(),
      'content-type': this.#encoder.contentType,
      ...unbuffered,
    })
    return over
  }

  /** Settles when the frame left for the caller: until then it must be held. @throws GatewayError `caller-left`. */
  send(frame: Bytes): Promise<void> {
    const over = this.begin()
    this.#waiting += 1
    const sent = this.#sent
      .then(() => this.#write(frame, over))
      .finally(() => {
        this.#waiting -= 1
        this.#heartbeat.refresh()
      })
    this.#sent = sent
    sent.catch(() => {})
    return sent
  }

  async end(): Promise<void> {
    this.stop()
    await this.send(this.#encoder.end())
    this.#response.end()
    await this.#over
  }

  /** Tells a failure as the last event. */
  async fail(failure: GatewayError): Promise<void> {
    this.stop()
    if (this.#response.writableEnded) return
    try {
      await this.send(this.#encoder.failure(failure))
      await this.end()
    } catch (error) {
      cut(this.#response)
      throw error
    }
  }

  /** No heartbeats from now on. */
  stop(): void {
    clearInterval(this.#heartbeat)
  }

  #beat(): void {
    // What is on its way is life enough, and a caller who does not read needs no heartbeats either.
    if (this.#waiting === 0 && this.#response.writableLength === 0 && !this.#response.destroyed) {
      void this.send(this.#encoder.heartbeat).catch(() => {})
    }
  }

  async #write(frame: Bytes, over: Promise<void>): Promise<void> {
    const response = this.#response
    this.#conversation.exchange.record.bytesOut += frame.length
    const slices = frame.slices()
    if (isInMemory(slices)) {
      response.cork()
      const gone = [...slices].map(slice => written(response, slice)).at(-1)
      response.uncork()
      await Promise.race([gone, over])
      return
    }
    // A slice from a file is valid until the next is asked for: so each must be gone before.
    for await (const slice of slices) await Promise.race([written(response, slice), over])
  }
}
