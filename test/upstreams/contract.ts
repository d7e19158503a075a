/**
 * Strict stand-ins for the vendors that Plantain calls: what they have in common. Each is a real HTTP server on a free port of this machine,
 * refuses whatever its vendor refuses, writes down every request, and answers as the test has ordered.
 */
import type { IncomingHttpHeaders, ServerResponse } from 'node:http'
import type { FormPart } from './form.ts'
import type { Painted, Studio } from './studio.ts'

export interface FakeUpstream {
  /** For the test's title: `zenlayer, Gemini form`. */
  readonly name: string
  readonly protocol: 'openai' | 'gemini'
  readonly dialect: 'openai' | 'azure' | 'zenlayer' | 'nano-banana' | 'aimlapi' | 'google' | 'vertex'
  /** As `base_url` in the configuration takes it: ends in `/v1` with protocol openai (a root for Azure's deployments), a root with gemini. */
  readonly baseUrl: string
  /** The one good key; empty where there is none (Vertex AI with OAuth). */
  readonly key: string
  /** Every call of the API, refused ones too, in the order in which they were whole. */
  readonly requests: readonly SeenRequest[]
  /** What was wrong with the requests that the vendor's rules refused: empty as long as the gateway speaks as the vendor wants. */
  readonly problems: readonly string[]
  /** Downloads from the host of pictures, where answers are addresses; calls for tokens, where a vendor gives some out. */
  readonly sideCalls: readonly SeenRequest[]
  /** Every picture painted, drafts too, in order. */
  readonly pictures: readonly Painted[]
  /** Calls whose caller left before the answer was whole. */
  readonly abandoned: number
  /** Which answers the vendor can give; `answerNext` throws for others. */
  readonly answers: ReadonlySet<FakeAnswer['kind']>
  /** Orders the answer to the next good requests; several orders wait in a queue. Without one every good request is `ok`. A refused request takes none. */
  answerNext(answer: FakeAnswer, times?: number): void
  /** Orders that no request has taken yet. */
  readonly ordered: number
  /** Forgets what was seen, painted and ordered. */
  reset(): void
  close(): Promise<void>
}

export type FakeAnswer =
  /** `images`: more or fewer than asked for. `as`: where the vendor, not the caller, chooses. `weight`: bytes added to each picture's file. */
  | { readonly kind: 'ok'; readonly images?: number; readonly as?: 'url' | 'b64_json'; readonly weight?: number }
  /** Pictures before the picture: OpenAI's partial images (never more than asked for), Google's drafts. */
  | { readonly kind: 'drafts'; readonly count: number }
  /** `reason`: the vendor's own word, such as Google's `IMAGE_SAFETY`. */
  | { readonly kind: 'refusal'; readonly stage?: 'input' | 'output'; readonly reason?: string }
  /** 429. `waitSeconds`: 12 unless told otherwise; null: nothing is said of a wait. */
  | { readonly kind: 'rate-limited'; readonly waitSeconds?: number | null }
  /** The account is empty: 429, at some vendors 403. */
  | { readonly kind: 'quota-exhausted' }
  /** As if the key were wrong. */
  | { readonly kind: 'unauthorized' }
  /** 502 is a page of HTML from a proxy in front of the vendor. */
  | { readonly kind: 'server-error'; readonly status: 500 | 502 | 503 }
  /** Half of the answer (in a stream: of its last event), then the connection breaks. */
  | { readonly kind: 'cut'; readonly weight?: number }
  /** An error after the stream has begun; a plain 503 where nothing is streamed. */
  | { readonly kind: 'error-in-stream' }
  /** Waits before the head and before each piece of the body. */
  | { readonly kind: 'slow'; readonly delayMs: number }
  /** 200, words and no picture. */
  | { readonly kind: 'text-only' }
  /** 200 and nothing. */
  | { readonly kind: 'empty' }
  /** 200 and an address under which no picture is. */
  | { readonly kind: 'lost-picture' }

export type SeenBody =
  | { readonly kind: 'none' }
  | { readonly kind: 'json'; readonly value: unknown }
  | { readonly kind: 'form'; readonly parts: readonly FormPart[] }
  | { readonly kind: 'unreadable'; readonly problem: string }
  | { readonly kind: 'other' }

export interface SeenRequest {
  readonly method: string
  /** Without the query, as it came (not decoded). */
  readonly path: string
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  readonly bytes: Buffer
  readonly body: SeenBody
  /** The answer's; null while there is none. */
  status: number | null
}

export interface Reply {
  readonly status: number
  readonly headers: Readonly<Record<string, string>>
  /** One piece for a document, which is sent with its length; one for each event of a stream. */
  readonly pieces: readonly Buffer[]
  readonly stream?: boolean
}

/** Thrown by a vendor's rules: the request is not as the vendor wants it. */
export class Refused extends Error {
  readonly reply: Reply

  constructor(problem: string, reply: Reply) {
    super(problem)
    this.name = 'Refused'
    this.reply = reply
  }
}

/** What a vendor's surface is given for one request. */
export interface Call {
  readonly request: SeenRequest
  readonly studio: Studio
  /** The server's own address, without a slash at its end. */
  readonly url: string
  /** Takes the ordered answer. To be asked only once the request is found good. */
  take(): FakeAnswer
  readonly response: ServerResponse
  /** Aborts when the caller has left. */
  readonly signal: AbortSignal
}

export interface Surface {
  readonly name: string
  readonly protocol: FakeUpstream['protocol']
  readonly dialect: FakeUpstream['dialect']
  readonly key: string
  /** What comes after the server's address in `baseUrl`. */
  readonly basePath: string
  readonly answers: readonly FakeAnswer['kind'][]
  /** Null: it has answered by itself. Throws `Refused`. */
  serve(call: Call): Promise<Reply | null>
  /** Requests that are no calls of the API (tokens, pictures): null where this is none. */
  aside?(request: SeenRequest, studio: Studio): Reply | null
}

export const json = (status: number, value: unknown, headers: Readonly<Record<string, string>> = {}): Reply => ({
  status,
  headers: { 'content-type': 'application/json', ...headers },
  pieces: [Buffer.from(JSON.stringify(value))],
})

/** What a proxy in front of any vendor says when the vendor is not there. */
export const badGatewayReply: Reply = {
  status: 502,
  headers: { 'content-type': 'text/html' },
  pieces: [Buffer.from('<html><head><title>502 Bad Gateway</title></head><body>502 Bad Gateway</body></html>\n')],
}

/** How many pictures an answer holds. */
export function countOf(answer: FakeAnswer, asked: number): number {
  if (answer.kind === 'empty' || answer.kind === 'text-only') return 0
  return answer.kind === 'ok' ? (answer.images ?? asked) : asked
}

/** How heavy its pictures are ordered to be. */
export function weightOf(answer: FakeAnswer): { readonly weight?: number } {
  const weight = answer.kind === 'ok' || answer.kind === 'cut' ? answer.weight : undefined
  return weight === undefined ? {} : { weight }
}
