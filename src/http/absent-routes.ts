/** What is told about routes that exist at a vendor and not here: not just that they are missing, but what to use instead. */
import { GatewayError } from '../images/error.ts'

const absent: readonly (readonly [RegExp, string])[] = [
  [
    /^\/(?!v1\/v1beta\/)v1(?:beta1?|alpha)?\/v1(?:beta1?|alpha)?\//,
    "The address has two versions in it. Google's SDKs add one by themselves: give them the gateway's address without a version, and OpenAI's SDKs the one that ends in /v1.",
  ],
  [
    /\/images\/variations$/,
    'Image variations were retired by OpenAI. Send the picture to /v1/images/edits with a prompt instead.',
  ],
  [
    /:(?!(?:generateContent|streamGenerateContent|countTokens|predict)$)[A-Za-z]{1,60}$/,
    'This gateway makes images: it serves `:generateContent`, `:streamGenerateContent`, `:countTokens` and `:predict`.',
  ],
  [
    /\/chat\/completions$/,
    'Chat completions are not served by this version of the gateway. Make images with /v1/images/generations.',
  ],
  [
    /\/responses(?:\/|$)/,
    'The Responses API is not served by this version of the gateway. Make images with /v1/images/generations.',
  ],
  [
    /\/interactions(?:\/|$)/,
    'The Interactions API is not served by this version of the gateway. Use `:generateContent`.',
  ],
  [
    /^\/(?:upload\/)?(?:v1|v1beta|v1alpha)\/files(?:\/|$)/,
    'The Files API is not served by this version of the gateway. Send pictures as inlineData.',
  ],
  [
    /^\/(?:v1|v1beta1?|v1alpha)\/(?:.+\/)?(?:batches|batchPredictionJobs|cachedContents|fileSearchStores|tuningJobs|auth_tokens)(?:[/:]|$)/,
    'This gateway makes images, one call at a time: it has no batches, caches, stores, tunings or tokens. Use /v1/images/generations or `:generateContent`.',
  ],
  [
    /\/(?:completions|embeddings|moderations|audio\/.*|assistants|threads)$/,
    'This gateway serves images only: /v1/images/generations and /v1/images/edits.',
  ],
]

/** For a path where nothing is. */
export function explainAbsence(method: string, path: string): GatewayError {
  const explanation = absent.find(([pattern]) => pattern.test(path.replaceAll('%3A', ':').replaceAll('%3a', ':')))?.[1]
  const shown = path.length > 200 ? `${path.slice(0, 200)}…` : path
  return new GatewayError(
    'route-unknown',
    explanation ?? `Invalid URL (${method} ${shown}). Images are made at /v1/images/generations.`,
  )
}
