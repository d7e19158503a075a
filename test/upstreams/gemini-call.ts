/**
 * One generateContent or countTokens call, wherever a vendor has it. What Google would refuse in it is refused by the sandbox's own reader,
 * and the sandbox's writer answers; pictures come from the fakes' studio, and faults from the test's orders instead of from the prompt.
 */
import { promptUsage } from '../../src/sandbox/answer.ts'
import { errorDocument, GoogleError, invalid } from '../../src/sandbox/errors.ts'
import type { Faults } from '../../src/sandbox/faults.ts'
import type { countTokensRequest, generateContentRequest } from '../../src/sandbox/fields.ts'
import { generate, type StreamForm } from '../../src/sandbox/generate.ts'
import { writeDocument } from '../../src/sandbox/google-json.ts'
import type { SandboxModel } from '../../src/sandbox/model.ts'
import { type GenerateRequest, readCount, readOrder } from '../../src/sandbox/order.ts'
import type { Painter } from '../../src/sandbox/painter.ts'
import type { Read } from '../../src/sandbox/proto-json.ts'
import { badGatewayReply, type Call, type FakeAnswer, Refused, type Reply, weightOf } from './contract.ts'
import { breaksOff } from './fake.ts'
import { isObject } from './fields.ts'
import { lookAt } from './look.ts'

export type GoogleRequest = Read<typeof generateContentRequest>
export type GoogleCount = Read<typeof countTokensRequest>

export interface GeminiCall {
  readonly model: SandboxModel
  readonly form: StreamForm
  readonly request: GoogleRequest
  /** What the vendor says where the test orders a wrong key. */
  unauthorized(): GoogleError
  /** The kind of picture to be made where the caller may choose it. */
  readonly mediaType?: SandboxModel['mediaType']
}

/** The body as JSON. Throws `Refused`. */
export function bodyOf({ request }: Call): unknown {
  const { body } = request
  if (body.kind === 'json') return body.value
  throw refused(
    body.kind === 'unreadable'
      ? invalid(`Invalid JSON payload received. ${body.problem}`)
      : invalid('Invalid JSON payload received. Unexpected token.'),
  )
}

const googleJson = 'application/json; charset=UTF-8'

/** A rule's error as the refusal that it is. */
export function refused(error: GoogleError): Refused {
  const pieces = [...writeDocument(errorDocument(error), 2).chunks()]
  return new Refused(error.message, { status: error.code, headers: { 'content-type': googleJson }, pieces })
}

/** Streams without `alt=sse` are lists of documents: an error before the first is a list of one. */
export async function inList(serve: () => Promise<Reply | null>): Promise<Reply | null> {
  const listed = (reply: Reply): Reply => ({ ...reply, pieces: [Buffer.from('['), ...reply.pieces, Buffer.from(']')] })
  try {
    const reply = await serve()
    return reply?.headers['content-type'] === googleJson ? listed(reply) : reply
  } catch (error) {
    throw error instanceof Refused ? new Refused(error.message, listed(error.reply)) : error
  }
}

/** Runs a check of the sandbox's: what it refuses is the request's problem. */
export function checked<T>(check: () => T): T {
  try {
    return check()
  } catch (error) {
    throw error instanceof GoogleError ? refused(error) : error
  }
}

/** Throws `Refused`; null: it has answered. */
export async function serveGenerate(call: Call, gemini: GeminiCall): Promise<Reply | null> {
  const { model, form, request } = gemini
  const order = checked(() => readOrder(model, request))
  for (const bytes of order.pictures) {
    if (!(await lookAt(bytes))) throw refused(invalid('Unable to process input image.'))
  }
  const answer = call.take()
  if (answer.kind === 'unauthorized') return refused(gemini.unauthorized()).reply
  if (answer.kind === 'server-error' && answer.status === 502) return badGatewayReply
  if (answer.kind === 'cut') breaksOff(call.response)

  const faults = { ...order.faults, ...faultsOf(answer) }
  const studio = { painter: painterOf(call, answer, gemini.mediaType), now: () => new Date(), signal: call.signal }
  const line = { response: call.response, signal: call.signal, bytesPerSecond: null }
  try {
    await generate({ ...order, faults }, form, studio, line)
    return null
  } catch (error) {
    if (call.signal.aborted || !(error instanceof GoogleError)) throw error
    // Ordered by the test: no problem of the request's. In a stream that has begun it has been told already.
    return call.response.headersSent ? null : refused(error).reply
  }
}

export function serveCount(model: SandboxModel, request: GoogleCount): Reply {
  const { allText, pictures } = checked(() => readCount(model, request))
  const { total, details } = promptUsage(model, allText, pictures.length, 'MEDIA_RESOLUTION_UNSPECIFIED')
  return {
    status: 200,
    headers: { 'content-type': googleJson },
    pieces: [...writeDocument({ totalTokens: total, promptTokensDetails: details }, 2).chunks()],
  }
}

function faultsOf(answer: FakeAnswer): Partial<Faults> {
  switch (answer.kind) {
    case 'drafts':
      return { drafts: answer.count }
    case 'error-in-stream':
      return { drafts: 1 }
    case 'refusal': {
      const { stage = 'output', reason } = answer
      return stage === 'input'
        ? { refusal: { stage: 'prompt', reason: reason ?? 'PROHIBITED_CONTENT' } }
        : { refusal: { stage: 'answer', reason: reason ?? 'IMAGE_SAFETY' } }
    }
    case 'rate-limited': {
      const wait = answer.waitSeconds === undefined ? 12 : answer.waitSeconds
      return { status: 429, retryDelay: wait === null ? null : `${wait}s` }
    }
    case 'quota-exhausted':
      return { status: 429, quota: 'credits' }
    case 'server-error':
      return answer.status === 500 ? { status: 500 } : { status: 503 }
    case 'cut':
      return { cut: true }
    case 'slow':
      return { delayMs: answer.delayMs }
    case 'text-only':
      return { textOnly: true }
    case 'empty':
      return { empty: true }
    default:
      return {}
  }
}

function painterOf({ studio }: Call, answer: FakeAnswer, mediaType: SandboxModel['mediaType'] | undefined): Painter {
  return {
    look: async bytes => {
      const look = await lookAt(bytes)
      return look && { bytes, size: look.type === 'image/heic' ? { width: 4, height: 3 } : look, unseen: false }
    },
    paint: async ({ size, mediaType: usual, draft }) => {
      if (answer.kind === 'error-in-stream' && draft === null) {
        throw new GoogleError(503, 'UNAVAILABLE', 'The model is overloaded. Please try again later.')
      }
      const order = { type: mediaType ?? usual, ...size, draft: draft !== null, ...weightOf(answer) }
      return (await studio.paint(order)).bytes
    },
  }
}

type Content = NonNullable<GenerateRequest['contents']>[number]
type Part = NonNullable<Content['parts']>[number]

export interface FileRules {
  /** What is wrong with an address; null: it can be read. */
  problem(uri: string): string | null
  readonly mimeTypeRequired: boolean
}

/** Pictures by address stand for pictures: each is checked, and a small one put in its place. The fakes fetch nothing. */
export function withFiles(request: GoogleRequest, { problem, mimeTypeRequired }: FileRules): GoogleRequest {
  const readPart = (part: Part): Part => {
    const { fileData, ...rest } = part
    if (!fileData) return part
    const { fileUri = '', mimeType } = fileData
    const wrong = problem(fileUri)
    if (wrong !== null) throw invalid(wrong)
    if (mimeTypeRequired && !mimeType)
      throw invalid("Unable to submit request because it must have a mimeType parameter in 'fileData'.")
    return { ...rest, inlineData: { mimeType: mimeType ?? 'image/png', data: onePixel } }
  }
  return checked(() => ({
    ...request,
    ...(request.contents && {
      contents: request.contents.map(content => ({
        ...content,
        ...(content.parts && { parts: content.parts.map(readPart) }),
      })),
    }),
  }))
}

const onePixel = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
  'base64',
)

interface Talk {
  readonly contents?: readonly { readonly role?: string }[]
}

/** Where every turn needs its role. Throws `Refused`. */
export function checkRoles({ contents = [] }: Talk): void {
  if (contents.every(({ role }) => role === 'user' || role === 'model')) return
  throw refused(invalid('Please use a valid role: user, model.'))
}

/** Duplicate spellings of one name, which ProtoJSON calls an error and the sandbox's reader lets pass. */
export function checkSpellings(value: unknown): void {
  if (Array.isArray(value)) for (const item of value) checkSpellings(item)
  if (!isObject(value)) return
  const names = Object.keys(value).map(name => name.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase()))
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw refused(invalid(`Invalid JSON payload received. Duplicate field '${twice}'.`))
  for (const item of Object.values(value)) checkSpellings(item)
}
