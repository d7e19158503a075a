/** What a request asks of a model beyond the picture's shape, against what the catalogue knows the model can do. */
import { GatewayError } from '../images/error.ts'
import type { ImageRequest } from '../images/request.ts'
import type { Model } from './model.ts'

/**
 * Throws a GatewayError that names the field and what the model has; no upstream call is worth making.
 * A model nobody knows (null) is let through, except for a file type: nobody can say whether it makes that one.
 */
export function checkRequest(model: Model | null, request: ImageRequest): void {
  if (model) checkAbilities(model, request)
  checkFormat(model, request)
}

function checkAbilities(model: Model, { images, background, search, spelling }: ImageRequest): void {
  if (model.references !== null && images.length > model.references) {
    const sentence = `${model.id} takes at most ${model.references} reference images, ${images.length} were sent.`
    throw new GatewayError('invalid-request', sentence, {
      param: spelling.get('image') ?? 'image',
      code: 'invalid_value',
    })
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

function checkFormat(model: Model | null, { format, spelling }: ImageRequest): void {
  const outputs = model?.outputs ?? []
  if (format === undefined || outputs.includes(`image/${format}`)) return
  const makes = outputs.length > 0 ? `makes ${outputs.join(', ')}` : 'makes a file type of its own choice'
  const param = spelling.get('output_format') ?? 'output_format'
  const sentence = `'${param}': '${format}' is not supported: the model ${makes}, and pictures are not converted.`
  throw new GatewayError('unsupported-parameter', sentence, { param })
}
