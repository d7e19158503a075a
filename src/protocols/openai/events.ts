/** OpenAI's streams of pictures, both ways: https://platform.openai.com/docs/api-reference/images-streaming */
import { type Bytes, bytesOfText, concat } from '../../images/bytes.ts'
import type { ImagePart, ImageResult, Painting, Usage } from '../../images/result.ts'
import { RawString, writeJsonLine } from '../../streams/json-writer.ts'
import type { EventEncoder, Operation, WireEvent } from '../protocol.ts'
import { errorDocument } from './errors.ts'
import { backgroundOf, encodeUsage } from './inbound.ts'
import { decodeResult } from './result.ts'

const stems: Record<Operation, string> = { generate: 'image_generation', edit: 'image_edit' }

/** For one answer. `now`: when each picture came. */
export function createEvents(operation: Operation, now: () => Date): EventEncoder {
  const stem = stems[operation]

  function draft(painting: Painting, index: number): Bytes {
    const type = `${stem}.partial_image`
    return frame(type, { type, ...describe(painting, now()), partial_image_index: index })
  }

  function finished({ paintings, usage }: ImageResult): Bytes {
    const type = `${stem}.completed`
    const events = paintings.map((painting, index) => {
      // What several pictures of one call cost together is told once, so that all events add up to what was used.
      const cost = index === paintings.length - 1 ? usage : usage && nothing
      const told = cost?.inputDetails && { usage: encodeUsage(cost, cost.inputDetails) }
      return frame(type, { type, ...describe(painting, now()), ...told })
    })
    return concat(events)
  }

  return {
    contentType: 'text/event-stream',
    // Without a blank line behind it: the first OpenAI SDK for Go would take that for an event.
    heartbeat: bytesOfText(': ping\n'),
    draft,
    finished,
    failure: error => frame('error', errorDocument(error)),
    isAnswer: () => false,
    end: () => bytesOfText(''),
  }
}

const frame = (name: string, document: object): Bytes =>
  concat([bytesOfText(`event: ${name}\ndata: `), writeJsonLine(document), bytesOfText('\n\n')])

const nothing: Usage = {
  inputTokens: 0,
  outputTokens: 0,
  totalTokens: 0,
  inputDetails: { textTokens: 0, imageTokens: 0 },
}

/** All fields are required; `auto` stands for what neither the picture nor its upstream tells. */
const describe = (painting: Painting, now: Date) => ({
  b64_json: new RawString(painting.base64),
  created_at: Math.floor(now.getTime() / 1000),
  size: painting.pixels ? `${painting.pixels.width}x${painting.pixels.height}` : 'auto',
  quality: painting.remarks?.quality ?? 'auto',
  background: backgroundOf(painting) ?? 'auto',
  output_format: painting.mediaType.slice('image/'.length),
})

/** The parts of an upstream's event. What is neither a picture nor an error says nothing that callers need. */
export async function decodeEvent(event: WireEvent): Promise<readonly ImagePart[]> {
  const value = typeof event.value === 'object' && event.value !== null ? event.value : {}
  const type = 'type' in value && typeof value.type === 'string' ? value.type : event.name
  // Some leave out the object around it.
  const isFlatError = !('error' in value) && (type === 'error' || event.name === 'error')
  const parts = await decodeResult(isFlatError ? { ...event, value: { error: value } } : event)
  const pictures = parts.filter(part => part.type !== 'finish')
  return type?.endsWith('.completed') ? [...pictures, { type: 'finish', reason: 'done' }] : pictures
}
