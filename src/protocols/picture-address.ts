/** The addresses of pictures that callers send instead of the pictures: which texts are some, and in what form they go on. */
import { GatewayError } from '../images/error.ts'

// Signed addresses of storage services with their session's token; no host takes longer ones everywhere.
export const longestAddress = 4096

export const isAddress = (text: string) => /^(https?|gs):\/\//i.test(text)

/** A bucket alone is none. */
const lacksObject = (text: string) => /^gs:/i.test(text) && !/^gs:\/\/[^/]+\/./i.test(text)

/** What only an account of Google's can read: pictures in its storage and those of its Files API. */
export const liesAtGoogle = (url: string) =>
  /^(gs:|https:\/\/generativelanguage\.googleapis\.com\/(.*\/)?files\/)/i.test(url)

/**
 * As it was written: who fetches it reads it once more. What readers of addresses disagree about is refused.
 * @throws GatewayError naming `param` where it is none.
 */
export function pictureAddress(text: string, param: string): string {
  const why =
    text.length > longestAddress
      ? `an address may have at most ${longestAddress} characters`
      : // biome-ignore lint/suspicious/noControlCharactersInRegex: URL parsers drop some of them in silence
        /[\x00-\x20\x7f\\]/.test(text) || !isAddress(text) || !URL.canParse(text) || lacksObject(text)
        ? 'it is no address of a picture'
        : null
  if (why === null) return text
  throw new GatewayError('invalid-request', `Invalid picture '${param}': ${why}.`, { param, code: 'invalid_image' })
}
