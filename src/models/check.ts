/** What a request asks of a model beyond the picture's shape, against what the catalogue knows the model can do. */
import { GatewayError } from '../images/error.ts'
import { type ImageRequest, picturesField } from '../images/request.ts'
import type { Model } from './model.ts'

/**
 * Throws a GatewayError that names the field and what the model has; no upstream call is worth making.
 * A model nobody knows (null) is let through.
 */
export function checkRequest(model: Model | null, request: ImageRequest): void {
  if (model) checkAbilities(model, request)
  checkCompression(model, request)
  checkTransparency(request)
}

function checkAbilities(model: Model, request: ImageRequest): void {
  const { images, background, search, spelling } = request
  if (model.references !== null && images.length > model.references) {
    const most = model.references === 0 ? 'no reference images' : `at most ${model.references} reference images`
    const sentence = `${model.id} takes ${most} here, ${images.length} ${images.length === 1 ? 'was' : 'were'} sent.`
    throw new GatewayError('invalid-request', sentence, { param: picturesField(request), code: 'invalid_value' })
  }
  // Google's API has no field for it. What an OpenAI model makes of it, that upstream says.
  if (background === 'transparent' && model.protocol === 'gemini') {
    const sentence = `Invalid value for 'background': ${model.id} paints no transparent background.`
    throw new GatewayError('invalid-request', sentence, { param: 'background', code: 'invalid_value' })
  }
  if (search && !model.search) {
    const param = spelling.get('enable_web_search') ?? 'enable_web_search'
    const sentence = `Invalid value for '${param}': ${model.id} cannot search the web.`
    throw new GatewayError('invalid-request', sentence, { param, code: 'invalid_value' })
  }
}

/** JPEG has no alpha channel. */
function checkTransparency({ background, format }: ImageRequest): void {
  if (background !== 'transparent' || format !== 'jpeg') return
  const sentence = 'Transparent background is not supported for JPEG output format. Ask for png or webp.'
  throw new GatewayError('invalid-request', sentence, { param: 'background', code: 'invalid_value' })
}

/** A mask that is shown to the model is one picture more. @throws GatewayError where that is one too many. */
export function checkShownMask(model: Model | null, { images, mask, spelling }: ImageRequest): void {
  if (!mask || !model || model.references === null || images.length < model.references) return
  const sentence = `The mask goes to ${model.id} as one more picture, and it takes at most ${model.references} in all.`
  throw new GatewayError('invalid-request', sentence, { param: spelling.get('mask') ?? 'mask', code: 'invalid_value' })
}

/** What a masked edit gives is of the original's type unless said otherwise, which is not known here. */
function checkCompression(model: Model | null, request: ImageRequest): void {
  if (request.mask && !request.format) return
  const unasked = model?.outputs[0] ?? 'image/png'
  if (request.format === 'png' || (!request.format && unasked === 'image/png')) refuseCompressedPng(request)
}

/** For a picture that will be a PNG. @throws GatewayError where less than the whole of it was asked for. */
export function refuseCompressedPng({ compression, spelling }: ImageRequest): void {
  if (compression === undefined || compression === 100) return
  const param = spelling.get('output_compression') ?? 'output_compression'
  const sentence = 'Compression less than 100 is not supported for PNG output format. Ask for jpeg or webp.'
  throw new GatewayError('invalid-request', sentence, { param, code: 'invalid_png_output_compression' })
}
