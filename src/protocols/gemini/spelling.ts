/** Fields by the names that the gateway's own errors would use, and their places in a caller's call. */

import type { GenerationConfig } from './config-wire.ts'
import { typeIn } from './output.ts'
import { ratioIn, tierIn } from './shape.ts'

const image = 'generation_config.image_config'
export const usualSpelling: ReadonlyMap<string, string> = new Map([
  ['aspect_ratio', `${image}.aspect_ratio`],
  ['image_size', `${image}.image_size`],
  ['output_format', `${image}.image_output_options.mime_type`],
  ['output_compression', `${image}.image_output_options.compression_quality`],
  ['n', 'generation_config.candidate_count'],
  ['seed', 'generation_config.seed'],
  ['media_resolution', 'generation_config.media_resolution'],
  ['enable_web_search', 'tools'],
  ['image', 'contents'],
  ['prompt', 'contents'],
])

/** The place where each stands, of those that have two. @throws GatewayError where the two differ. */
export function spellingIn(config: GenerationConfig): ReadonlyMap<string, string> {
  if (!config.responseFormat) return usualSpelling
  const places = [
    ['aspect_ratio', ratioIn(config).place],
    ['image_size', tierIn(config).place],
    ['output_format', typeIn(config).place],
  ] as const
  return new Map([...usualSpelling, ...places])
}
