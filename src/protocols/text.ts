/** Text of a caller's request, whether it was short enough to be parsed or stayed where it lies. */
import { join } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import { type Soon, whenThere } from '../images/soon.ts'
import type { LongString } from '../streams/document-reader.ts'
import type { WireDocument } from './protocol.ts'

/** @throws GatewayError naming `param` where it has more than `longest` characters, or is no text. */
export function readText(
  text: string | LongString,
  param: string,
  longest: number,
  document: WireDocument,
): Soon<string> {
  return whenThere(typeof text === 'string' ? text : readLong(text, param, longest, document), read => {
    if (read.length > longest)
      throw invalid(`'${param}' has ${read.length} characters; at most ${longest} are allowed.`, param)
    if (!read.isWellFormed())
      throw invalid(`'${param}' is not valid Unicode: it holds half of a surrogate pair.`, param)
    return read
  })
}

function readLong(text: LongString, param: string, longest: number, document: WireDocument): Soon<string> {
  // Six bytes of JSON (\uXXXX) at most for each character of text.
  if (text.length > longest * 6)
    throw invalid(`'${param}' is too long; at most ${longest} characters are allowed.`, param)
  return whenThere(join(document.bytesOf(text)), inside => {
    try {
      return String(JSON.parse(`"${new TextDecoder('utf-8', { fatal: true }).decode(inside)}"`))
    } catch (cause) {
      throw new GatewayError('invalid-request', `'${param}' is not valid JSON text in UTF-8.`, { param, cause })
    }
  })
}

const invalid = (message: string, param: string) =>
  new GatewayError('invalid-request', message, { param, code: 'invalid_value' })
