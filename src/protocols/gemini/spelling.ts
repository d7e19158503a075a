/** Fields by the names that the gateway's own errors would use, and their places in a caller's call. */
import type { GenerationConfig } from './config-wire.ts'
import { qualityPlace, typeIn } from './output.ts'
import { ratioIn, tierIn } from './shape.ts'

const spellingOf = (config: GenerationConfig): ReadonlyMap<string, string> =>
  new Map([
    ['aspect_ratio', ratioIn(config).place],
    ['image_size', tierIn(config).place],
    ['output_format', typeIn(config).place],
    ['output_compression', qualityPlace],
    ['n', 'generation_config.candidate_count'],
    ['seed', 'generation_config.seed'],
    ['media_resolution', 'generation_config.media_resolution'],
    ['enable_web_search', 'tools'],
    ['image', 'contents'],
    ['prompt', 'contents'],
  ])

/** Of a call that says nothing in the newer of two places. */
export const usualSpelling = spellingOf({})

/** @throws GatewayError where the same is said in two places and differs. */
export const spellingIn = (config: GenerationConfig): ReadonlyMap<string, string> =>
  config.responseFormat ? spellingOf(config) : usualSpelling
