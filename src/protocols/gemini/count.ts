/**
 * An estimate for `:countTokens` where the upstream counts none: a token for every four characters of text, rounded up, and 258 for
 * every picture, as https://ai.google.dev/gemini-api/docs/tokens has it.
 */
import { type Bytes, bytesOfText } from '../../images/bytes.ts'
import type { WireDocument } from '../protocol.ts'
import { readText } from '../text.ts'
import { checkFields } from './fields.ts'
import { encodeDetails } from './inbound.ts'
import { CountTokensRequest } from './request-wire.ts'

const charactersPerToken = 4
const tokensPerPicture = 258

/** @throws GatewayError naming the field that is none of its kind. */
export async function countTokens(document: WireDocument): Promise<Bytes> {
  const { generateContentRequest: inner, ...outer } = checkFields(CountTokensRequest, document.value)
  const systemInstruction = outer.systemInstruction ?? inner?.systemInstruction
  const all = [...(outer.contents ?? inner?.contents ?? []), ...(systemInstruction ? [systemInstruction] : [])]
  let [characters, pictures] = [0, 0]
  for (const { text, inlineData, fileData } of all.flatMap(({ parts }) => parts ?? [])) {
    // The body's own bound is the text's.
    if (text) characters += (await readText(text, 'contents', Number.MAX_SAFE_INTEGER, document)).length
    if (inlineData || fileData) pictures += 1
  }
  const textTokens = Math.ceil(characters / charactersPerToken)
  const imageTokens = pictures * tokensPerPicture
  return bytesOfText(
    JSON.stringify({
      totalTokens: textTokens + imageTokens,
      promptTokensDetails: encodeDetails({ textTokens, imageTokens }),
    }),
  )
}
