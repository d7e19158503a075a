/** OpenAI's images API itself, on whatever paths and with whatever key a vendor has it: reads a request, refuses what is wrong, answers. */
import { type Call, countOf, type FakeAnswer, type Reply, weightOf } from './contract.ts'
import { type Fields, findFault, isObject, numberOf, type Rules, readFormFields, textOf } from './fields.ts'
import {
  asOpenAI,
  type FailureWords,
  failureOf,
  invalidValue,
  modelNotFound,
  openaiReply,
  unreadable,
  unsupportedContentType,
} from './openai-errors.ts'
import { type Form, type OpenAIModel, openaiModels, rulesOf, sizeProblem } from './openai-models.ts'
import { checkFormPictures, checkJsonPictures } from './openai-references.ts'
import type { Painted, PictureType } from './studio.ts'

export type Operation = 'generations' | 'edits'

export interface ImagesSurface {
  readonly operation: Operation
  /** What the path says; null: the body's `model` says it. */
  readonly model: OpenAIModel | null
  /** The model behind a name in the body. */
  findModel(name: string): OpenAIModel | null
  /** Edits come as JSON too. */
  readonly jsonEdits: boolean
  readonly words: FailureWords
  readonly headers: Readonly<Record<string, string>>
}

interface Order {
  readonly operation: Operation
  readonly prompt: string
  readonly count: number
  readonly references: number
  readonly width: number
  readonly height: number
  readonly format: 'png' | 'jpeg' | 'webp'
  readonly quality: string
  readonly transparent: boolean
  readonly stream: boolean
  readonly partials: number
}

/** Throws `Refused`. */
export async function serveImages(call: Call, surface: ImagesSurface): Promise<Reply> {
  const order = await readOrder(call, surface)
  const answer = call.take()
  const failure = failureOf(answer, surface.words)
  if (failure) return failure
  if (!order.stream) return await document(call, order, answer, surface)
  return await events(call, order, answer, surface)
}

async function readOrder(call: Call, surface: ImagesSurface): Promise<Order> {
  const { operation } = surface
  const form = formOf(call, surface)
  const { fields, files } = readFields(call, surface, form)
  const model = modelOf(fields, surface)
  const rules = rulesFor(model, form, surface)
  const fault = findFault(rules, fields, { nullIsAbsent: form !== 'form edit' })
  if (fault) throw asOpenAI(fault)
  const asked = textOf(fields, 'size') ?? 'auto'
  const problem = sizeProblem(model, asked)
  if (problem !== null) throw invalidValue('size', problem)
  checkTogether(fields)
  const references =
    form === 'generation'
      ? 0
      : form === 'form edit'
        ? await checkFormPictures(model, files)
        : await checkJsonPictures(fields)
  const [width = 1024, height = 1024] = asked === 'auto' ? [] : asked.split('x').map(Number)
  const quality = textOf(fields, 'quality') ?? 'auto'
  return {
    operation,
    prompt: textOf(fields, 'prompt') ?? '',
    count: numberOf(fields, 'n') ?? 1,
    references,
    width,
    height,
    format: (textOf(fields, 'output_format') ?? 'png') as Order['format'],
    // What was made is told, never `auto`.
    quality: quality === 'auto' ? 'medium' : quality,
    transparent: textOf(fields, 'background') === 'transparent',
    stream: fields.stream === true,
    partials: numberOf(fields, 'partial_images') ?? 0,
  }
}

function formOf({ request }: Call, { operation, jsonEdits }: ImagesSurface): Form {
  const type = (request.headers['content-type'] ?? '').split(';')[0] ?? ''
  if (operation === 'generations' || (jsonEdits && type === 'application/json')) {
    if (type !== 'application/json') throw unsupportedContentType(type, 'application/json')
    return operation === 'generations' ? 'generation' : 'JSON edit'
  }
  if (type !== 'multipart/form-data') throw unsupportedContentType(type, 'multipart/form-data')
  return 'form edit'
}

function readFields(
  { request }: Call,
  surface: ImagesSurface,
  form: Form,
): Pick<ReturnType<typeof readFormFields>, 'fields' | 'files'> {
  const { body } = request
  if (body.kind === 'unreadable') throw unreadable(body.problem)
  if (body.kind === 'form') {
    // Which numbers and switches there are is the same for all models.
    const [anyModel] = openaiModels.values()
    const read = readFormFields(anyModel ? rulesFor(anyModel, form, surface) : {}, body.parts)
    if (read.fault) throw asOpenAI(read.fault)
    return read
  }
  if (body.kind !== 'json' || !isObject(body.value)) throw unreadable('An object is expected.')
  return { fields: body.value, files: [] }
}

function modelOf(fields: Fields, { model, findModel }: ImagesSurface): OpenAIModel {
  if (model) return model
  const name = textOf(fields, 'model')
  // The default of old, dall-e-2, is gone.
  if (name === null || name === '') throw asOpenAI({ why: 'missing', field: 'model' })
  const found = findModel(name)
  if (!found) throw modelNotFound(name)
  return found
}

function rulesFor(model: OpenAIModel, form: Form, surface: ImagesSurface): Rules {
  const rules = rulesOf(model, form)
  return surface.model ? { ...rules, model: { is: 'text' } } : rules
}

/** What two fields mean together. */
function checkTogether(fields: Fields): void {
  const format = textOf(fields, 'output_format') ?? 'png'
  if (textOf(fields, 'background') === 'transparent' && format === 'jpeg') {
    throw invalidValue('background', "Transparent background is not supported for 'jpeg' output. Use 'png' or 'webp'.")
  }
  if ((numberOf(fields, 'output_compression') ?? 100) < 100 && format === 'png') {
    throw invalidValue('output_compression', "Compression less than 100 is not supported for 'png' output format.")
  }
  // Nobody says what partial images without a stream would be.
  if ((numberOf(fields, 'partial_images') ?? 0) > 0 && fields.stream !== true) {
    throw invalidValue('partial_images', "'partial_images' is only supported with 'stream'.")
  }
}

async function paint({ studio }: Call, order: Order, answer: FakeAnswer, draft = false): Promise<Painted> {
  const { width, height, transparent, format } = order
  const type: PictureType = `image/${format}`
  return await studio.paint({ type, width, height, transparent, draft, ...weightOf(answer) })
}

const about = ({ transparent, format, quality, width, height }: Order) => ({
  background: transparent ? 'transparent' : 'opaque',
  output_format: format,
  quality,
  size: `${width}x${height}`,
})

const tokensPerImage: Readonly<Record<string, number>> = { low: 272, medium: 1056, high: 4160, xhigh: 6240, max: 8320 }

function usageOf({ prompt, references, quality }: Order, images: number) {
  const [text, image] = [Math.ceil(prompt.length / 4), references * 323]
  const output = images * (tokensPerImage[quality] ?? 1056)
  return {
    total_tokens: text + image + output,
    input_tokens: text + image,
    output_tokens: output,
    input_tokens_details: { text_tokens: text, image_tokens: image },
    output_tokens_details: { image_tokens: output, text_tokens: 0 },
  }
}

const now = () => Math.floor(Date.now() / 1000)

async function document(
  call: Call,
  order: Order,
  answer: FakeAnswer,
  { headers, words }: ImagesSurface,
): Promise<Reply> {
  if (answer.kind === 'error-in-stream') return words.serverError(503)
  const data: object[] = []
  const count = countOf(answer, order.count)
  for (let made = 0; made < count; made++) {
    data.push({ b64_json: (await paint(call, order, answer)).bytes.toString('base64') })
  }
  const body = { created: now(), data, ...about(order), usage: usageOf(order, count) }
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'application/json' },
    pieces: [Buffer.from(JSON.stringify(body))],
  }
}

/** One `completed` for each picture; before the first the partial images. No `[DONE]`. */
async function events(call: Call, order: Order, answer: FakeAnswer, { headers }: ImagesSurface): Promise<Reply> {
  const prefix = order.operation === 'edits' ? 'image_edit' : 'image_generation'
  const pieces: Buffer[] = []
  const push = (type: string, more: object) =>
    pieces.push(Buffer.from(`event: ${type}\ndata: ${JSON.stringify(more)}\n\n`))
  const pictureEvent = async (type: string, draft: boolean, more: object) => {
    const { bytes } = await paint(call, order, answer, draft)
    push(type, { type, b64_json: bytes.toString('base64'), created_at: now(), ...about(order), ...more })
  }
  // The final image may come before all the partial ones have: fewer is allowed, more is not.
  const partials = answer.kind === 'drafts' ? Math.min(answer.count, order.partials) : order.partials
  for (let index = 0; index < partials; index++) {
    await pictureEvent(`${prefix}.partial_image`, true, { partial_image_index: index })
  }
  if (answer.kind === 'error-in-stream') {
    const error = { message: serverErrorMessage, type: 'server_error', param: null, code: null }
    push('error', { type: 'error', error })
  } else {
    const count = countOf(answer, order.count)
    for (let made = 0; made < count; made++) {
      await pictureEvent(`${prefix}.completed`, false, { usage: usageOf(order, 1) })
    }
  }
  return {
    status: 200,
    headers: { ...headers, 'content-type': 'text/event-stream; charset=utf-8' },
    pieces,
    stream: true,
  }
}

export const serverErrorMessage =
  'The server had an error while processing your request. Sorry about that! Please contact us if the error persists.'

export const unknownUrl = (method: string, path: string): Reply =>
  openaiReply(404, { message: `Invalid URL (${method} ${path})` })
