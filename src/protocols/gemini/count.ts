/**
 * An estimate for `:countTokens` where the upstream counts none: a token for every four characters of text, rounded up, and 258 for
 * every picture, as https://ai.google.dev/gemini-api/docs/tokens has it.
 */
import { type Bytes, bytesOfText } from '../../images/bytes.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import { decodeContent } from './contents.ts'
import { checkFields, unknownFields } from './fields.ts'
import { encodeDetails } from './inbound.ts'
import { CountTokensRequest } from './request-wire.ts'

const charactersPerToken = 4
// Who counts wants to know how much is too much. The body's own bound is the text's.
const anyLength = Number.MAX_SAFE_INTEGER
const tokensPerPicture = 258

export interface TokenCount {
  /** The whole answer. */
  readonly body: Bytes
  /** The fields that were not looked at, by their places. */
  readonly ignored: readonly string[]
}

/** @throws GatewayError naming what a call that paints could not have either. */
export async function countTokens(document: WireDocument, bounds: RequestBounds): Promise<TokenCount> {
  const { generateContentRequest: inner, ...outer } = checkFields(CountTokensRequest, document.value)
  const { contents = [], systemInstruction } = inner ?? outer
  const above = inner ? 'generate_content_request.' : ''
  const all = [
    ...contents.map((content, index) => ({ content, place: `${above}contents[${index}]` })),
    { content: { parts: systemInstruction?.parts }, place: `${above}system_instruction` },
  ]
  let [characters, pictures] = [0, 0]
  for (const { content, place } of all) {
    const { text, images } = await decodeContent(content, place, document, bounds, anyLength)
    characters += text.length
    pictures += images.length
  }
  const textTokens = Math.ceil(characters / charactersPerToken)
  const imageTokens = pictures * tokensPerPicture
  const body = {
    totalTokens: textTokens + imageTokens,
    promptTokensDetails: encodeDetails({ textTokens, imageTokens }),
  }
  const unread = [...unknownFields(outer, read), ...unknownFields(inner, read, ['generateContentRequest'])]
  return { body: bytesOfText(JSON.stringify(body)), ignored: unread.map(([place]) => place) }
}

// How the picture is to be asks for no tokens.
const read = new Set(['model', 'contents', 'systemInstruction', 'generationConfig', 'safetySettings'])
