/** One picture's way to the caller: whole, as a stream of events, or as a JSON array that grows. */
import { answer, type Chunk, type Studio } from './answer.ts'
import { errorDocument, GoogleError } from './errors.ts'
import { type Document, writeDocument } from './google-json.ts'
import type { Order } from './order.ts'
import { type Line, sendHalf, sendPiece, sendWhole } from './reply.ts'

export type StreamForm = 'none' | 'sse' | 'array'

/** Throws what is wrong with the order, with nothing sent yet; and what failed in the middle of a stream, told to the caller already. */
export async function generate(order: Order, form: StreamForm, studio: Studio, line: Line): Promise<void> {
  const { cut, bytesPerSecond } = order.faults
  const chunks = answer(order, studio)
  const slowLine = { ...line, bytesPerSecond }
  if (form === 'none') return await sendWhole(slowLine, 200, await wholeDocument(chunks), cut)
  await sendStream(slowLine, chunks, form, cut)
}

async function wholeDocument(chunks: AsyncIterable<Chunk>): Promise<Document> {
  const all: Chunk[] = []
  for await (const chunk of chunks) all.push(chunk)
  const last = all.at(-1)
  if (!last) throw new Error('An answer had no chunk.')
  return writeDocument(chunkDocument({ ...last, parts: all.flatMap(({ parts }) => parts) }), 2)
}

/** A chunk as Google's GenerateContentResponse. */
function chunkDocument({ parts, candidate, rest }: Chunk): object {
  if (candidate === null) return rest
  return { candidates: [{ ...contentOf(parts, candidate.finishReason), ...candidate, index: 0 }], ...rest }
}

/** Without parts Google leaves more or less of the content away, as it happened to be built. */
function contentOf(parts: Chunk['parts'], finishReason: string | undefined): object {
  if (parts.length > 0) return { content: { parts, role: 'model' } }
  if (finishReason === 'STOP') return { content: { role: 'model' } }
  return finishReason === 'NO_IMAGE' ? { content: {} } : {}
}

/** How documents follow one another. Google's event streams end their lines with CR LF. */
const frames = {
  sse: { type: 'text/event-stream', indent: 0, first: 'data: ', next: 'data: ', after: '\r\n\r\n', end: '' },
  array: { type: 'application/json; charset=UTF-8', indent: 2, first: '[', next: ',\r\n', after: '\n', end: ']' },
} as const

async function sendStream(
  line: Line,
  chunks: AsyncIterable<Chunk>,
  form: 'sse' | 'array',
  cut: boolean,
): Promise<void> {
  const { response, signal } = line
  const { type, indent, first, next, after, end } = frames[form]
  let sent = 0
  const frame = (document: object) => writeDocument(document, indent, [sent++ === 0 ? first : next, after])
  try {
    for await (const chunk of chunks) {
      // The status is final with the first chunk: until then the order may still be refused.
      if (sent === 0) response.writeHead(200, { 'content-type': type })
      const closing = sent > 0 && chunk.parts.length === 0
      const piece = frame(chunkDocument(closing ? { ...chunk, parts: [{ text: '' }] } : chunk))
      if (cut && (chunk.main || chunk.candidate?.finishReason)) return await sendHalf(line, piece)
      await sendPiece(line, piece)
    }
  } catch (error) {
    if (sent === 0 || signal.aborted) throw error
    const known = error instanceof GoogleError ? error : new GoogleError(500, 'INTERNAL', 'Internal error encountered.')
    await sendPiece(line, frame(errorDocument(known)))
    response.end(end)
    throw error
  }
  response.end(end)
}
