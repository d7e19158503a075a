/** What the two halves of a protocol's folder do, and what passes between them and the rest of the house. */
import type { Bytes } from '../images/bytes.ts'
import type { GatewayError } from '../images/error.ts'
import type { ImageLink, ImageRequest } from '../images/request.ts'
import type { ImagePart, ImageResult, Painting, Usage } from '../images/result.ts'
import type { PixelRules } from '../models/model.ts'
import type { LongString } from '../streams/document-reader.ts'
import type { JsonText } from '../streams/json-text.ts'

export type ProtocolName = 'openai' | 'gemini'

/** A JSON document that was read by its skeleton, and the way to the long strings that stayed in it. */
export interface WireDocument {
  /** As `JSON.parse` would give it, with a `LongString` for every long string. */
  readonly value: unknown
  /** The inside of a long string, as it lies in the document: JSON escapes included. */
  bytesOf(text: LongString): Bytes
}

/** One document of a streamed answer. */
export interface WireEvent extends WireDocument {
  /** Of a server-sent event, empty where it has none. Null: the upstream sent no events, but documents in another frame. */
  readonly name: string | null
}

/** What goes back to a caller. */
export interface WireReply {
  readonly status: number
  /** Stands for the code in clients that show only the status line. */
  readonly reasonPhrase?: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: Bytes
}

/** What goes up to an upstream: a path below its base address, and a body. */
export interface WireRequest {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Of the body; absent: JSON. */
  readonly contentType?: string
  readonly body: Bytes | null
  /** It asks for a stream of events. Absent: for a whole answer. */
  readonly isStream?: boolean
}

export interface EncodedRequest extends WireRequest {
  /** What the caller sent and this upstream has no word for, as the caller spelt it. */
  readonly ignored: readonly string[]
}

/** What an upstream's error answer said. */
export interface WireFailure {
  readonly status: number
  /** Lower-case names. Absent: it came inside an answer. */
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>
  readonly body: Buffer
}

/** What the request became once the catalogue had its say. */
export interface Target {
  /** The upstream's own name of the model. */
  readonly model: string
  readonly ratio?: string
  /** `512`, `1K`, `2K`, `4K`; of an unknown model whatever the caller said. */
  readonly resolution?: string
  /** Which sizes in pixels the model takes, where it is asked in pixels. */
  readonly pixels?: PixelRules
  /** Pictures that can be shown to the model at most. Absent: nobody knows a bound. */
  readonly references?: number
  /** Pictures to ask for in this one call: never more than the outbound half's `mostPerCall`. */
  readonly count: number
  /** Ask for a stream of events, with so many drafts at most. Only where the outbound half's `canStream` allows it. */
  readonly stream?: { readonly previews: number }
}

export type Operation = 'generate' | 'edit'

/** What protects the process from a request. */
export interface RequestBounds {
  /** Of each picture, decoded. */
  readonly maxImageBytes: number
  readonly maxImages: number
}

/** A caller's body as far as it was looked at. */
export type SeenBody =
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly parts: readonly FormPartHead[] }

/** A part of a form, by its head. */
export interface FormPartHead {
  readonly name: string
  /** What the head says of a file; null: a text. */
  readonly mediaType: string | null
  /** Of a text that is as short as a number or a name. */
  readonly text?: string
  /** Of its content, in bytes. */
  readonly length: number
}

/** Where a relayed call goes. */
export interface Addresses {
  /** Below the upstream's base address. `operation`: the method of a Gemini call, or what an image route does. */
  pathOf(model: string, operation: string): string
  /** A caller's body with what this upstream is known to refuse put right. */
  mended?(body: JsonText): JsonText
  /** Does the upstream understand all of a call in its protocol's form as it came? Absent: any. `model`: its own name. */
  passes?(operation: Operation, body: SeenBody, model: string): boolean
}

/**
 * Writes one answer as a stream, in the order of the calls. What it returns are whole frames: they go out as they are, one
 * behind the other.
 */
export interface EventEncoder {
  readonly contentType: string
  /** Says nothing, in words that the protocol's SDKs bear between two events and before the first. */
  readonly heartbeat: Bytes
  /** `index` counts the drafts of one picture from 0. */
  draft(painting: Painting, index: number): Bytes
  /** The pictures of one upstream call, and what they cost. */
  finished(result: ImageResult): Bytes
  /** Nothing but `end` may follow. */
  failure(error: GatewayError): Bytes
  /** The protocol tells this error as an answer: in a stream with status 200, even where nothing was sent yet. */
  isAnswer(error: unknown): boolean
  /** The stream's last bytes. */
  end(): Bytes
}

/** The half that faces upstreams. */
export interface Outbound extends Addresses {
  /** Pictures that one call to this model can be asked for. */
  mostPerCall(model: string): number
  /** Can the upstream fetch the picture itself? Else it is fetched for it. */
  reads(link: ImageLink): boolean
  /**
   * Does the upstream take masks? If not, `request.mask` is a picture to show the model, white where the first picture may
   * change, and the gateway puts the answer and the original together.
   */
  readonly masks: boolean
  /**
   * Does the upstream make the file type and quality that are asked of this model (its own name)? What it does not, the
   * gateway does.
   */
  formats(model: string): boolean
  /** @throws GatewayError for what this upstream can't do and must not be left out. */
  encodeRequest(request: ImageRequest, target: Target): EncodedRequest
  /** The parts of one whole answer. @throws GatewayError where it is not of this protocol. */
  decodeResult(document: WireDocument): Promise<readonly ImagePart[]>
  /** Can the answer come as a stream of events, with drafts that cost nothing but what the caller asked for by name? */
  canStream(model: string, request: ImageRequest): boolean
  /** The parts of one event; the stream's last one has a `finish`. @throws GatewayError where it tells of an error. */
  decodeEvent(event: WireEvent): Promise<readonly ImagePart[]>
  /** Pictures of an answer, or of what has come of it, that can't be its picture any more: a later one stands there already. */
  superseded(value: unknown): readonly LongString[]
  decodeError(failure: WireFailure): GatewayError
}

/** A protocol's errors, as callers see them. */
export type EncodeError = (error: GatewayError) => WireReply

/** What a relay learns from bytes that it passes on. */
export interface Observation {
  readonly usage?: Usage
  readonly images: number
  /** The upstream's own word, where it refused. */
  readonly refusal?: string
  /** An error that came where an answer should be, after a 200. */
  readonly failure?: GatewayError
}
