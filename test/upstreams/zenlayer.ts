/** Zenlayer's gateway: Gemini models in OpenAI's form (its own fields) and in Google's, under ids of its own time. */
import { pixelsOf } from '../../src/sandbox/model.ts'
import { type Call, countOf, type FakeUpstream, Refused, type Reply, weightOf } from './contract.ts'
import { startFake } from './fake.ts'
import { findFault, isObject, type Rules, readFormFields, textOf } from './fields.ts'
import type { FormPart } from './form.ts'
import { lookAt } from './look.ts'
import { openaiWords } from './openai.ts'
import {
  asOpenAI,
  failureOf,
  invalidValue,
  modelNotFound,
  openaiReply,
  refuse,
  unreadable,
  unsupportedContentType,
} from './openai-errors.ts'
import { serveZenlayerGemini, zenlayerModel } from './zenlayer-gemini.ts'

const key = 'sk-zenlayer-good-key'

/** `gemini`: `baseUrl` is the root that the Gemini form lies under. Both forms are always served. */
export const startZenlayer = (form: 'openai' | 'gemini' = 'openai'): Promise<FakeUpstream> =>
  startFake({
    name: `zenlayer, ${form === 'gemini' ? 'Gemini' : 'OpenAI'} form`,
    protocol: form,
    dialect: 'zenlayer',
    key,
    basePath: form === 'gemini' ? '' : '/v1',
    answers: [
      'ok',
      ...(form === 'gemini' ? (['drafts'] as const) : []),
      'refusal',
      'rate-limited',
      'quota-exhausted',
      'unauthorized',
      'server-error',
      'cut',
      'slow',
      'text-only',
      'empty',
    ],
    serve,
  })

async function serve(call: Call): Promise<Reply | null> {
  const { method, path, headers } = call.request
  if (path.startsWith('/v1/v1beta/')) return await serveZenlayerGemini(call, key)
  if (headers.authorization !== `Bearer ${key}`) throw new Refused('A wrong key.', openaiWords.unauthorized())
  if (method === 'POST' && path === '/v1/images/generations') return await generations(call)
  if (method === 'POST' && path === '/v1/images/edits') return await edits(call)
  throw new Refused(`Invalid URL (${method} ${path})`, openaiReply(404, { message: `Invalid URL (${method} ${path})` }))
}

const ratios = ['1:1', '2:3', '3:2', '3:4', '4:3', '4:5', '5:4', '9:16', '16:9', '21:9']
const shape: Rules = {
  model: { is: 'text', required: true },
  prompt: { is: 'text', required: true },
  aspect_ratio: { is: 'choice', of: ratios },
  image_size: { is: 'choice', of: ['1K', '2K', '4K'] },
}
// In no table, but the samples of generations send it with this value; nothing says that there is another.
const generationShape: Rules = { ...shape, response_format: { is: 'choice', of: ['b64_json'] } }
const editShape: Rules = {
  ...shape,
  media_resolution: {
    is: 'choice',
    of: ['MEDIA_RESOLUTION_LOW', 'MEDIA_RESOLUTION_MEDIUM', 'MEDIA_RESOLUTION_HIGH'],
  },
}
const generationModels = ['gemini-2.5-flash-image', 'gemini-3-pro-image-preview', 'gemini-3.1-flash-image-preview']
/** By model, how many pictures. The document of edits lists these two models and not the third. */
const editModels: Readonly<Record<string, number>> = { 'gemini-2.5-flash-image': 3, 'gemini-3-pro-image-preview': 14 }

async function generations(call: Call): Promise<Reply> {
  const { headers, body } = call.request
  const type = headers['content-type'] ?? ''
  checkAccept(headers.accept)
  if (body.kind === 'unreadable') throw unreadable(body.problem)
  if (body.kind !== 'json') throw unsupportedContentType(type, 'application/json')
  if (!isObject(body.value)) throw unreadable('An object is expected.')
  const fault = findFault(generationShape, body.value)
  if (fault) throw asOpenAI(fault)
  const model = textOf(body.value, 'model') ?? ''
  if (!generationModels.includes(model)) throw modelNotFound(model)
  return await paint(call, model, textOf(body.value, 'aspect_ratio'), textOf(body.value, 'image_size'))
}

async function edits(call: Call): Promise<Reply> {
  const { headers, body } = call.request
  checkAccept(headers.accept)
  if (body.kind === 'unreadable') throw unreadable(body.problem)
  if (body.kind !== 'form') throw unsupportedContentType(headers['content-type'] ?? '', 'multipart/form-data')
  const { fields, files, fault: repeated } = readFormFields(editShape, body.parts)
  const fault = repeated ?? findFault(editShape, fields)
  if (fault) throw asOpenAI(fault)
  const model = textOf(fields, 'model') ?? ''
  const most = editModels[model]
  if (most === undefined) throw modelNotFound(model)
  await checkPictures(files, model, most)
  return await paint(call, model, textOf(fields, 'aspect_ratio'), textOf(fields, 'image_size'))
}

/** "Accept: required", say both documents; the shell samples leave it to curl. */
function checkAccept(accept: string | undefined): void {
  if (/application\/json|\*\/\*/.test(accept ?? '')) return
  throw refuse(406, { message: "The header 'Accept' must be 'application/json'." })
}

async function checkPictures(files: readonly FormPart[], model: string, most: number): Promise<void> {
  const names = new Set(files.map(({ name }) => name))
  for (const name of names) {
    if (name !== 'image' && name !== 'image[]') throw asOpenAI({ why: 'unknown', field: name })
  }
  // One as `image`, several as `image[]`: so do the samples.
  if (names.size > 1 || (names.has('image') && files.length > 1)) throw asOpenAI({ why: 'repeated', field: 'image' })
  if (files.length > most) throw invalidValue('image', `${model} accepts up to ${most} images as input.`)
  for (const { fileName, contentType, bytes } of files) {
    const look = await lookAt(bytes)
    if (look && look.type === contentType && /\.\w+$/.test(fileName ?? '')) continue
    throw invalidValue('image', `'${fileName}' (${contentType ?? 'no type'}) is not the image that it is said to be.`)
  }
}

async function paint(call: Call, id: string, ratio: string | null, size: string | null): Promise<Reply> {
  const model = zenlayerModel(id)
  if (!model) throw modelNotFound(id)
  if (model.tiers.length === 0 && size !== null && size !== '1K') {
    throw invalidValue('image_size', `Image size ${size} is not supported for this model`)
  }
  const answer = call.take()
  // The seed words no error of its own: OpenAI's, whose format it says it is compatible with.
  const failure = failureOf(answer, openaiWords)
  if (failure) return failure
  const pixels = pixelsOf(model, ratio ?? '1:1', size === '2K' || size === '4K' ? size : '1K')
  const data: object[] = []
  for (let left = countOf(answer, 1); left > 0; left--) {
    const picture = await call.studio.paint({ type: model.mediaType, ...pixels, ...weightOf(answer) })
    data.push({ b64_json: picture.bytes.toString('base64') })
  }
  const document = { created: Math.floor(Date.now() / 1000), data }
  return {
    status: 200,
    headers: { 'content-type': 'application/json' },
    pieces: [Buffer.from(JSON.stringify(document, null, '\t'))],
  }
}
