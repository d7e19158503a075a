/** Google's streams of pictures, as callers get them: https://ai.google.dev/api/generate-content#method:-models.streamgeneratecontent */
import { type Bytes, bytesOfText, concat } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import { type Painting, sumUsage, type Usage } from '../../images/result.ts'
import { RawString, writeJsonLine } from '../../streams/json-writer.ts'
import type { EventEncoder } from '../protocol.ts'
import { errorDocument } from './errors.ts'
import { type AnswerFacts, encodeRefusal, encodeResult } from './inbound.ts'

/** How documents follow one another. `heartbeat`: what every reader of Google's streams skips; comments are an error to some. */
const frames = {
  sse: { contentType: 'text/event-stream', heartbeat: '\n\n', first: 'data: ', next: 'data: ', after: '\n\n', end: '' },
  array: {
    contentType: 'application/json; charset=UTF-8',
    heartbeat: '\n',
    first: '[',
    next: ',\r\n',
    after: '\n',
    end: ']',
  },
} as const

/** For one answer, as server-sent events or as a JSON array that grows. */
export function createEvents(form: keyof typeof frames, facts: AnswerFacts): EventEncoder {
  const { contentType, heartbeat, first, next, after, end } = frames[form]
  const usages: Usage[] = []
  let [before, candidates]: [string, number] = [first, 0]

  function frame(document: Bytes): Bytes {
    const framed = concat([bytesOfText(before), document, bytesOfText(after)])
    before = next
    return framed
  }

  return {
    contentType,
    heartbeat: bytesOfText(heartbeat),
    draft: painting => frame(encodeDraft(painting, facts)),
    finished({ paintings, usage }) {
      if (paintings.length === 0) return bytesOfText('')
      // Usage grows from event to event: what the last one says counts.
      if (usage) usages.push(usage)
      const total = sumUsage(usages)
      const index = candidates
      candidates += paintings.length
      return frame(encodeResult({ paintings, ...(total && { usage: total }) }, facts, index))
    },
    failure: error => frame(encodeRefusal(error, facts) ?? writeJsonLine(errorDocument(error))),
    isAnswer: error => error instanceof GatewayError && encodeRefusal(error, facts) !== null,
    end: () => bytesOfText(end),
  }
}

const encodeDraft = ({ base64, mediaType }: Painting, { model, responseId }: AnswerFacts): Bytes =>
  writeJsonLine({
    candidates: [
      {
        content: {
          role: 'model',
          parts: [{ inlineData: { mimeType: mediaType, data: new RawString(base64) }, thought: true }],
        },
        index: 0,
      },
    ],
    modelVersion: model,
    responseId,
  })
