/** An upstream's stream while it comes: its bytes are held, its documents handed on one after the other, and freed when each is done with. */
import type { Bytes } from '../images/bytes.ts'
import { HeldDocument, type HoldingPlaces } from '../memory/held-document.ts'
import type { LongString } from '../streams/document-reader.ts'
import { createStreamReader, type StreamDocument, type StreamReader } from '../streams/event-stream.ts'

/** One document of a stream, held until it is released. */
export interface UpstreamEvent {
  readonly value: unknown
  /** Of a server-sent event, empty where it has none. Null: the upstream sent no events. */
  readonly name: string | null
  bytesOf(text: LongString): Bytes
  /** To be called once, by whoever was handed the event. Slices of it are invalid from then on. */
  release(): void
}

/** Takes an event, and owns it even where it throws. The next one waits until this one was taken; the upstream does not. */
export type TakeEvent = (event: UpstreamEvent) => Promise<void>

export class EventFeed {
  readonly #held: HeldDocument
  readonly #take: TakeEvent
  readonly #outer: AbortSignal
  readonly #controller = new AbortController()
  #reader: StreamReader | null = null
  #handedOn: Promise<void> = Promise.resolve()
  /** The feed itself, and the events that somebody still has. */
  #holders = 1

  /** `signal`: the exchange's end. */
  constructor(places: HoldingPlaces, signal: AbortSignal, take: TakeEvent) {
    this.#outer = signal
    this.#take = take
    this.#held = new HeldDocument(places, this.signal)
    if (signal.aborted) this.#controller.abort(signal.reason)
    else signal.addEventListener('abort', this.#onAbort)
  }

  /** Ends the call: with the exchange, and as soon as an event could not be taken. */
  get signal(): AbortSignal {
    return this.#controller.signal
  }

  /** The stream begins. */
  start(contentType: string): void {
    this.#reader = createStreamReader(contentType)
  }

  /** Bytes that came so far. */
  get length(): number {
    return this.#held.length
  }

  /** Takes the next bytes. Where it returns a promise, the upstream's socket should wait for it. @throws DocumentError. */
  push(chunk: Buffer): Promise<void> | undefined {
    const waits = this.#held.append(chunk)
    for (const document of this.#reader?.push(chunk) ?? []) this.#handOn(document)
    return waits
  }

  /** The stream ended in good order. Settles when its last event was taken. @throws what taking them threw. */
  async finish(): Promise<void> {
    for (const document of this.#reader?.finish() ?? []) this.#handOn(document)
    await this.#handedOn
  }

  /** Settles when no further event is handed on. What of the stream nobody has, is freed. */
  async close(): Promise<void> {
    await this.#handedOn.catch(() => {})
    this.#outer.removeEventListener('abort', this.#onAbort)
    this.#letGo()
  }

  readonly #onAbort = () => this.#controller.abort(this.#outer.reason)

  #handOn(document: StreamDocument): void {
    this.#handedOn = this.#handedOn.then(async () => {
      await this.#held.complete()
      this.signal.throwIfAborted()
      await this.#take(this.#event(document))
    })
    this.#handedOn.catch(error => this.#controller.abort(error))
  }

  #event({ value, name, start, end, placeOf }: StreamDocument): UpstreamEvent {
    this.#holders += 1
    return {
      value,
      name,
      bytesOf: text => this.#held.slice(placeOf(text), text.length),
      release: () => {
        this.#held.discard(start, end - start)
        this.#letGo()
      },
    }
  }

  #letGo(): void {
    this.#holders -= 1
    if (this.#holders === 0) this.#held.release()
  }
}
