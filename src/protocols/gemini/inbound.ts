/** The half of Gemini's protocol that faces callers: generateContent requests in, GenerateContentResponses out. */
import type { Bytes } from '../../images/bytes.ts'
import type { GatewayError } from '../../images/error.ts'
import type { ImageRequest } from '../../images/request.ts'
import type { ImageResult, Painting, TokenDetails, Usage } from '../../images/result.ts'
import { RawString, writeJsonLine } from '../../streams/json-writer.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import type { GenerationConfig } from './config-wire.ts'
import { decodeContents } from './contents.ts'
import { namedExtras } from './extras.ts'
import { checkFields, invalid } from './fields.ts'
import { isBlockReason, isFinishReason } from './finish-reason.ts'
import { decodeOutput } from './output.ts'
import { OwnForm } from './own-form.ts'
import { GenerateContentRequest } from './request-wire.ts'
import { decodeCount, decodeMediaResolution, decodeShape } from './shape.ts'
import { spellingIn } from './spelling.ts'

/** @throws GatewayError for what the caller should change, in Google's words and naming the field's path. */
export async function decodeRequest(document: WireDocument, bounds: RequestBounds): Promise<ImageRequest> {
  const request = checkFields(GenerateContentRequest, document.value)
  const config = request.generationConfig ?? {}
  refuseOtherModalities(config)
  const { contents = [], systemInstruction, tools = [] } = request
  const { places, ...talk } = await decodeContents(contents, systemInstruction, document, bounds)
  const mediaResolution = decodeMediaResolution(config)
  return {
    ...talk,
    model: null,
    count: decodeCount(config.candidateCount, 'generation_config.candidate_count'),
    shape: decodeShape(config),
    ...decodeOutput(config),
    search: tools.some(({ googleSearch, googleSearchRetrieval }) => googleSearch || googleSearchRetrieval),
    ...(config.seed !== undefined && { seed: config.seed }),
    ...(mediaResolution && { mediaResolution }),
    spelling: spellingIn(config),
    extras: { protocol: 'gemini', fields: namedExtras(request), own: new OwnForm(request, places, document) },
  }
}

function refuseOtherModalities({ responseModalities = [] }: GenerationConfig): void {
  const asked = responseModalities.filter(modality => modality !== 'MODALITY_UNSPECIFIED')
  const isPossible = asked.length === 0 || asked.includes('IMAGE')
  if (isPossible && asked.every(modality => modality === 'IMAGE' || modality === 'TEXT')) return
  throw invalid(
    `The requested combination of response modalities (${asked.join(', ')}) is not supported by the model. Ask for IMAGE, or for TEXT and IMAGE.`,
    'generation_config.response_modalities',
  )
}

/** What an answer says of itself. */
export interface AnswerFacts {
  readonly model: string
  readonly responseId: string
}

/** A whole answer, or an event of a stream: a candidate for each picture. `first`: the index of the first of them. */
export function encodeResult({ paintings, usage }: ImageResult, { model, responseId }: AnswerFacts, first = 0): Bytes {
  return writeJsonLine({
    candidates: paintings.map((painting, index) => ({
      content: { role: 'model', parts: encodeParts(painting) },
      finishReason: 'STOP',
      index: first + index,
    })),
    ...(usage && { usageMetadata: encodeUsage(usage) }),
    modelVersion: model,
    responseId,
  })
}

const encodeParts = ({ base64, mediaType, text, signature }: Painting): readonly object[] => [
  ...(text ? [{ text }] : []),
  {
    inlineData: { mimeType: mediaType, data: new RawString(base64) },
    ...(signature && { thoughtSignature: new RawString(signature) }),
  },
]

function encodeUsage({ inputTokens, outputTokens, totalTokens, inputDetails, outputDetails }: Usage): object {
  return {
    promptTokenCount: inputTokens,
    candidatesTokenCount: outputTokens,
    totalTokenCount: totalTokens,
    ...(inputDetails && { promptTokensDetails: encodeDetails(inputDetails) }),
    ...(outputDetails && { candidatesTokensDetails: encodeDetails(outputDetails) }),
  }
}

/** Tokens by kind, as Google tells them: a kind of which there are none is left out. */
export const encodeDetails = ({ textTokens, imageTokens }: TokenDetails): readonly object[] =>
  [
    { modality: 'TEXT', tokenCount: textTokens },
    { modality: 'IMAGE', tokenCount: imageTokens },
  ].filter(({ tokenCount }) => tokenCount > 0)

/** A refusal is an answer with status 200 here. Null where the error is none. */
export function encodeRefusal(error: GatewayError, { model, responseId }: AnswerFacts): Bytes | null {
  const told = refusalOf(error)
  return told && writeJsonLine({ ...told, modelVersion: model, responseId })
}

function refusalOf({ kind, message, facts: { reason = '', stage } }: GatewayError): object | null {
  if (kind === 'content-refused' && stage === 'input') {
    const blockReason = isBlockReason(reason) ? reason : 'SAFETY'
    return { promptFeedback: { blockReason, blockReasonMessage: message } }
  }
  if (kind !== 'content-refused' && kind !== 'no-image') return null
  const usual = kind === 'content-refused' ? 'IMAGE_SAFETY' : 'NO_IMAGE'
  const finishReason = isFinishReason(reason) ? reason : usual
  return { candidates: [{ content: {}, finishReason, finishMessage: message, index: 0 }] }
}
