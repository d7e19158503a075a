/** Takes secrets out of text that came from elsewhere (an upstream's error, an exception) before it is logged. */

const redacted = '[redacted]'

// Long enough for any message; what lies beyond is cut before the patterns run, so that they cost little on any input.
const readChars = 65_536
const keptChars = 2_000
// Shorter ones are no secrets, and replacing them would garble every line.
const shortestSecretChars = 4

// Each begins where a token begins and takes the whole run, so none can read a text more than a few times.
const patterns: readonly (readonly [RegExp, string])[] = [
  [/AIza[\w-]{20,}/g, redacted], // Google API keys
  [/(?<![A-Za-z0-9])sk-[\w-]{8,}/g, redacted], // OpenAI's and most others'
  [/ya29\.[\w.-]+/g, redacted], // Google access tokens
  [/(?<![\w-])eyJ[\w-]+\.[\w-]+(?:\.[\w-]*)?/g, redacted], // JWT
  [/(?<=\bBearer\s)[^\s"',;]+/gi, redacted],
  [/(?<=[?&](?:key|api_key|api-key|access_token|sig)=)[^&\s"'#]+/gi, redacted],
  [/(?<=\/\/)[^/\s@"']*(?=@)/g, redacted], // user and password in an address
  [/[A-Za-z0-9+/_-]{200,}={0,2}/g, '[data]'], // a picture in base64
]

/**
 * A function that makes text safe to log: bounded, without keys, tokens, passwords in addresses and runs of base64.
 * @param secrets what must never appear, literally: upstream keys, tokens, passwords. Only this function keeps them.
 */
export function createScrub(secrets: readonly string[] = []): (text: string) => string {
  // The longest first: a secret may hold another.
  const literals = secrets.filter(it => it.length >= shortestSecretChars).sort((a, b) => b.length - a.length)
  return text => {
    let safe = text.slice(0, readChars)
    for (const literal of literals) safe = safe.replaceAll(literal, redacted)
    for (const [pattern, replacement] of patterns) safe = safe.replace(pattern, replacement)
    return safe.length > keptChars ? `${safe.slice(0, keptChars)}…` : safe
  }
}
