/** The neutral answer: a run of parts, in the order the upstream sent them. */
import type { Bytes } from './bytes.ts'
import type { Pixels } from './geometry.ts'
import type { MediaType } from './media-type.ts'

/** Why a picture was not made, or that it was. `refused`: policy; `no-image`: nothing was refused, yet no picture came. */
export type FinishReason = 'done' | 'refused' | 'no-image' | 'length' | 'malformed'

/** What an upstream says of a picture that its bytes don't tell. */
export interface Remarks {
  /** `high` */
  readonly quality?: string
  readonly background?: string
  /** The prompt that it was really painted from. */
  readonly revisedPrompt?: string
}

export type ImagePart =
  | {
      readonly type: 'image'
      /** Which of the pictures of one answer: those of one index stand in for each other, the last counts. */
      readonly index: number
      /** Base64 text as it lay in the upstream's document: JSON escapes are possible, the alphabet is as sent. */
      readonly base64: Bytes
      /** The upstream's own label. The bytes decide (media-type.ts). */
      readonly mediaType?: string
      /** A draft of the model's thinking: the answer only if nothing else comes. */
      readonly thought: boolean
      /** What the model wants to see again when the chat goes on: the inside of a JSON string, for callers of its own protocol. */
      readonly signature?: Bytes
      readonly remarks?: Remarks
    }
  /** A picture to be fetched from where the upstream put it. */
  | { readonly type: 'link'; readonly index: number; readonly url: string; readonly remarks?: Remarks }
  | { readonly type: 'text'; readonly text: string; readonly thought: boolean }
  | { readonly type: 'usage'; readonly usage: Usage }
  | {
      readonly type: 'finish'
      readonly reason: FinishReason
      /** The upstream's own word for it: `IMAGE_SAFETY`. */
      readonly wireReason?: string
      readonly message?: string
      /** Was the prompt refused, or the picture? */
      readonly stage?: 'input' | 'output'
    }

/** A finished picture: standard padded base64, and what its own bytes say of it. */
export interface Painting {
  readonly base64: Bytes
  readonly mediaType: MediaType
  readonly pixels: Pixels | null
  /** What the model said with it. */
  readonly text?: string
  /** As in its part. */
  readonly signature?: Bytes
  /** As in its part. */
  readonly remarks?: Remarks
  /** Where it can be fetched, which the answer says instead of the base64. */
  readonly url?: string
}

/** What an image request came to: the pictures that came, and the tokens of all calls made for them. */
export interface ImageResult {
  readonly paintings: readonly Painting[]
  readonly usage?: Usage
}

/** Tokens of one exchange. Absent details mean that the upstream did not split them. */
export interface Usage {
  readonly inputTokens: number
  readonly outputTokens: number
  readonly totalTokens: number
  readonly inputDetails?: TokenDetails
  readonly outputDetails?: TokenDetails
}

export interface TokenDetails {
  readonly textTokens: number
  readonly imageTokens: number
}

/** Adds the usage of parallel calls. Details survive only where every call has them. */
export function sumUsage(usages: readonly Usage[]): Usage | undefined {
  const [first, ...rest] = usages
  return first && rest.reduce(addUsage, first)
}

function addUsage(a: Usage, b: Usage): Usage {
  return {
    inputTokens: a.inputTokens + b.inputTokens,
    outputTokens: a.outputTokens + b.outputTokens,
    totalTokens: a.totalTokens + b.totalTokens,
    ...(a.inputDetails && b.inputDetails && { inputDetails: addDetails(a.inputDetails, b.inputDetails) }),
    ...(a.outputDetails && b.outputDetails && { outputDetails: addDetails(a.outputDetails, b.outputDetails) }),
  }
}

function addDetails(a: TokenDetails, b: TokenDetails): TokenDetails {
  return { textTokens: a.textTokens + b.textTokens, imageTokens: a.imageTokens + b.imageTokens }
}
