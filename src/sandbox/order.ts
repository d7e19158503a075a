/** What a request orders, once everything that Google would refuse in it is refused. */
import { type Tier, tiers } from '../images/geometry.ts'
import { invalid } from './errors.ts'
import { type Faults, takeFaults } from './faults.ts'
import type { countTokensRequest, generateContentRequest } from './fields.ts'
import { isFixed, knownRatios, type MediaResolution, type SandboxModel } from './model.ts'
import type { Read } from './proto-json.ts'
import { isOurSignature } from './signatures.ts'

export type GenerateRequest = Read<typeof generateContentRequest>
export type CountRequest = Read<typeof countTokensRequest>
type Content = NonNullable<GenerateRequest['contents']>[number]
type Part = NonNullable<Content['parts']>[number]
type Config = NonNullable<GenerateRequest['generationConfig']>

export interface Order {
  readonly model: SandboxModel
  /** What the last user turn says, faults taken out. */
  readonly prompt: string
  readonly faults: Faults
  /** All text there is: it is what is counted. */
  readonly allText: string
  readonly seed: number
  /** Every picture of the talk, in order, as sent. */
  readonly pictures: readonly Buffer[]
  /** Null: the model's own choice. */
  readonly ratio: string | null
  readonly tier: Tier
  readonly wantsText: boolean
  readonly wantsThoughts: boolean
  readonly mediaResolution: MediaResolution
}

/** Throws Google's 400 for the first rule that is broken. */
export function readOrder(model: SandboxModel, request: GenerateRequest): Order {
  const config = request.generationConfig ?? {}
  const read = readContents(model, request.contents ?? [])
  checkTools(model, request.tools ?? [])
  checkConfig(model, config)
  const modalities = config.responseModalities ?? []
  const systemText = textOf(request.systemInstruction)
  return {
    model,
    ...takeFaults(read.prompt),
    pictures: read.pictures,
    allText: systemText + read.allText,
    seed: config.seed ?? 0,
    ratio: readRatio(model, config.imageConfig?.aspectRatio),
    tier: readTier(model, config.imageConfig?.imageSize),
    wantsText: modalities.includes('TEXT'),
    wantsThoughts: config.thinkingConfig?.includeThoughts === true,
    mediaResolution: config.mediaResolution ?? 'MEDIA_RESOLUTION_UNSPECIFIED',
  }
}

/** The text and pictures whose tokens are to be counted. */
export function readCount(model: SandboxModel, request: CountRequest): Pick<Order, 'allText' | 'pictures'> {
  const whole = request.generateContentRequest
  const { allText, pictures } = readContents(model, request.contents ?? whole?.contents ?? [])
  return { allText: textOf(whole?.systemInstruction) + allText, pictures }
}

const textOf = (content: Content | undefined): string =>
  (content?.parts ?? []).flatMap(({ text, thought }) => (text === undefined || thought ? [] : [text])).join('\n')

function readContents(
  model: SandboxModel,
  contents: readonly Content[],
): Pick<Order, 'prompt' | 'allText' | 'pictures'> {
  if (contents.length === 0) throw invalid('* GenerateContentRequest.contents: contents is not specified\n')
  if (contents.every(({ parts = [] }) => parts.length === 0)) throw invalid('Request has empty input.')
  for (const [index, content] of contents.entries()) checkContent(content, index)
  const users = contents.filter(({ role }) => role?.toLowerCase() !== 'model')
  const sent = picturesOf(users).length
  if (model.maxReferences !== null && sent > model.maxReferences) {
    throw invalid(`Request has ${sent} images. At most ${model.maxReferences} images are supported for this model.`)
  }
  return { prompt: textOf(users.at(-1)), allText: contents.map(textOf).join(''), pictures: picturesOf(contents) }
}

const picturesOf = (contents: readonly Content[]): Buffer[] =>
  contents.flatMap(({ parts = [] }) => parts.flatMap(readPicture))

function checkContent({ role = 'user', parts = [] }: Content, index: number): void {
  if (!['user', 'model', ''].includes(role.toLowerCase())) throw invalid('Please use a valid role: user, model.')
  const place = `* GenerateContentRequest.contents[${index}].parts`
  if (parts.length === 0) throw invalid(`${place}: contents.parts must not be empty.\n`)
  for (const [at, part] of parts.entries()) {
    const { thought, thoughtSignature, videoMetadata, mediaResolution, partMetadata, mediaProcessing, ...data } = part
    if (Object.keys(data).length === 0) {
      throw invalid(`${place}[${at}].data: required oneof field 'data' must have one initialized field\n`)
    }
    if (thoughtSignature && !isOurSignature(thoughtSignature)) {
      throw invalid(`Request contains an invalid thought signature for content at index ${index}.`)
    }
  }
}

const inputTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif']

function readPicture({ inlineData, fileData, thought, ...part }: Part): Buffer[] {
  if (part.functionCall !== undefined || part.functionResponse !== undefined) {
    throw invalid('Function calling is not enabled for this model')
  }
  if (fileData)
    throw invalid('Cannot fetch content from the provided URL. The sandbox takes pictures as inlineData alone.')
  if (!inlineData || thought) return []
  const { mimeType = '', data } = inlineData
  if (!inputTypes.includes(mimeType.toLowerCase())) throw invalid(`Unsupported MIME type: ${mimeType}`)
  if (!data?.length) throw unreadableImage()
  return [data]
}

export const unreadableImage = () =>
  invalid(
    'Unable to process input image. Please retry or report in https://developers.generativeai.google/guide/troubleshooting',
  )

function checkTools(model: SandboxModel, tools: readonly NonNullable<GenerateRequest['tools']>[number][]): void {
  for (const { googleSearch, googleSearchRetrieval, functionDeclarations, ...other } of tools) {
    if ((googleSearch || googleSearchRetrieval) && !model.search) {
      throw invalid('Search as tool is not enabled for this model')
    }
    if (functionDeclarations) throw invalid('Function calling is not enabled for this model')
    const [name] = Object.keys(other)
    if (name) throw invalid(`Tool ${name} is not enabled for this model`)
  }
}

function checkConfig(model: SandboxModel, config: Config): void {
  checkRange('temperature', config.temperature, 0, 2)
  checkRange('top_p', config.topP, 0, 1)
  checkRange('candidate_count', config.candidateCount, 1, 8)
  if ((config.candidateCount ?? 1) > 1) throw invalid('Multiple candidates is not enabled for this model')
  if (config.responseMimeType && config.responseMimeType !== 'text/plain') {
    throw invalid('JSON mode is not enabled for this model')
  }
  checkModalities(model, config.responseModalities ?? [])
  checkThinking(model, config.thinkingConfig)
  if (config.responseFormat?.some(({ image }) => image?.delivery?.toUpperCase().endsWith('URI'))) {
    throw invalid('URI delivery is not supported for this model')
  }
}

function checkRange(name: string, value: number | undefined, least: number, most: number): void {
  if (value === undefined || (value >= least && value <= most)) return
  throw invalid(
    `* GenerateContentRequest.generation_config.${name}: ${name} must be in the range [${least}, ${most}].\n`,
  )
}

function checkModalities(model: SandboxModel, modalities: readonly string[]): void {
  const asked = modalities.filter(modality => modality !== 'MODALITY_UNSPECIFIED')
  const possible = asked.length === 0 || asked.includes('IMAGE')
  if (possible && asked.every(modality => modality === 'IMAGE' || modality === 'TEXT')) return
  throw invalid(
    `The requested combination of response modalities (${[...new Set(asked)].join(', ')}) is not supported by the model. models/${model.id} accepts the following combination of response modalities:\n* IMAGE\n* IMAGE, TEXT\n`,
  )
}

function checkThinking(model: SandboxModel, thinking: Config['thinkingConfig']): void {
  if (!thinking) return
  const { thinkingBudget, thinkingLevel, includeThoughts } = thinking
  if (thinkingBudget !== undefined && thinkingLevel !== undefined) {
    throw invalid('You can only set only one of thinking budget and thinking level.')
  }
  if (!model.thinking && (thinkingBudget || thinkingLevel || includeThoughts)) {
    throw invalid('Thinking is not enabled for this model')
  }
  if (!thinkingLevel || thinkingLevel === 'THINKING_LEVEL_UNSPECIFIED') return
  if (!model.thinkingLevels.includes(thinkingLevel.toLowerCase())) {
    throw invalid(
      `Thinking level ${thinkingLevel} is not supported for this model. Please retry with other thinking level.`,
    )
  }
}

function readRatio(model: SandboxModel, ratio: string | undefined): string | null {
  if (!ratio) return null
  if (!knownRatios.includes(ratio)) {
    const field = '* GenerateContentRequest.generation_config.image_config.aspect_ratio'
    throw invalid(`${field}: aspect_ratio must be one of ${knownRatios.map(known => `'${known}'`).join(', ')}\n`)
  }
  if (!model.ratios.includes(ratio)) throw invalid(`Aspect ratio ${ratio} is not supported for this model`)
  return ratio
}

function readTier(model: SandboxModel, size: string | undefined): Tier {
  if (!size) return '1K'
  const tier = size === '512P' || size === '512PX' ? '512' : tiers.find(known => known === size)
  if (!tier) throw invalid(`Unsupported image_size '${size}'. Supported values are: 1K, 2K, 4K, 512, 512P, 512PX.`)
  const served = isFixed(model) ? tier === '1K' : model.tiers.includes(tier)
  if (!served) throw invalid(`Image size ${size} is not supported for this model`)
  return tier
}
