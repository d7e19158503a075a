/** The pictures of an edit, in OpenAI's form and in its JSON: each rule about them, in OpenAI's words. */
import { type Fields, isObject } from './fields.ts'
import type { FormPart } from './form.ts'
import { isWebAddress, type Look, lookAt, readDataUrl } from './look.ts'
import { asOpenAI, invalidValue, refuse } from './openai-errors.ts'
import type { OpenAIModel } from './openai-models.ts'

const mostImages = 16
const mostImageBytes = 50 * 1000 * 1000
const mostMaskBytes = 4 * 1000 * 1000
const mostAddressLength = 20_971_520
const imageTypes: Readonly<Record<string, readonly string[]>> = {
  'image/png': ['png'],
  'image/jpeg': ['jpg', 'jpeg'],
  'image/webp': ['webp'],
}

/** How many pictures were sent. Throws `Refused`. */
export async function checkFormPictures(model: OpenAIModel, files: readonly FormPart[]): Promise<number> {
  for (const { name } of files) {
    // Only `image`, alone, and `image[]` are what the SDKs send; `image[0]` stands in error messages, and nobody says that it is taken.
    if (!['image', 'image[]', 'mask', ...(model.markup ? ['markup'] : [])].includes(name)) {
      throw asOpenAI({ why: 'unknown', field: name })
    }
  }
  const [single, listed, masks, markups] = ['image', 'image[]', 'mask', 'markup'].map(name =>
    files.filter(file => file.name === name),
  ) as [FormPart[], FormPart[], FormPart[], FormPart[]]
  for (const list of [single, masks, markups]) {
    if (list.length > 1) throw asOpenAI({ why: 'repeated', field: list[0]?.name ?? '' })
  }
  if (single.length > 0 && listed.length > 0) throw asOpenAI({ why: 'repeated', field: 'image' })
  const images = single.length > 0 ? single : listed
  if (images.length === 0) throw asOpenAI({ why: 'missing', field: 'image' })
  checkCount('image', images.length)

  const looks: Look[] = []
  for (const [index, file] of images.entries()) {
    looks.push(await checkFile(file, single.length > 0 ? 'image' : `image[${index}]`, index + 1))
  }
  const [mask] = masks
  if (mask && markups.length > 0) throw invalidValue('markup', "'markup' cannot be used together with 'mask'.")
  if (mask) checkMask(mask.bytes, await checkFile(mask, 'mask', 1), looks[0])
  const [markup] = markups
  if (markup) {
    const { type, hasAlpha } = await checkFile(markup, 'markup', 1)
    if (type !== 'image/png' || !hasAlpha) throw invalidValue('markup', "'markup' must be a transparent PNG.")
  }
  return images.length
}

function checkCount(param: string, count: number): void {
  if (count <= mostImages) return
  throw invalidValue(
    param,
    `Invalid '${param}': array too long. Expected an array with maximum length ${mostImages}, but got an array with length ${count} instead.`,
    'array_above_max_length',
  )
}

async function checkFile({ contentType, fileName, bytes }: FormPart, param: string, number: number): Promise<Look> {
  if (contentType === null) {
    throw invalidValue(
      param,
      `Invalid file '${param}': failed to determine mimetype. Ensure you are providing the file's mimetype as part of the 'Content-Type' header.`,
      'missing_file_mimetype',
    )
  }
  const endings = imageTypes[contentType]
  if (!endings) {
    throw invalidValue(
      param,
      `Invalid file '${param}': unsupported mimetype ('${contentType}'). Supported file formats are 'image/jpeg', 'image/png', and 'image/webp'.`,
      'unsupported_file_mimetype',
    )
  }
  const ending = /\.([A-Za-z0-9]+)$/.exec(fileName ?? '')?.[1]?.toLowerCase()
  // No wording is known; that the name's ending tells the type is what the SDKs' own file helpers provide for.
  if (!ending || !endings.includes(ending)) {
    throw invalidValue(param, `Invalid file '${param}': the name '${fileName}' does not end as ${contentType} does.`)
  }
  if (bytes.length >= mostImageBytes) throw invalidValue(param, `Invalid file '${param}': larger than 50 MB.`)
  return await open(bytes, contentType, number)
}

/** A picture that can't be opened, or is another than its label says. */
async function open(bytes: Buffer, type: string, number: number): Promise<Look> {
  const look = await lookAt(bytes)
  if (look?.type === type) return look
  throw refuse(400, {
    message: `Invalid image file or mode for image ${number}, please check your image file.`,
    type: 'image_generation_user_error',
    code: 'invalid_image_file',
  })
}

function checkMask(bytes: Buffer, mask: Look, image: Look | undefined): void {
  if (mask.type !== 'image/png') throw invalidValue('mask', "Invalid file 'mask': a mask must be a PNG.")
  if (bytes.length >= mostMaskBytes) throw invalidValue('mask', "Invalid file 'mask': larger than 4 MB.")
  if (!mask.hasAlpha) {
    throw invalidValue(
      'mask',
      'Invalid mask image format - mask image missing alpha channel',
      'invalid_mask_image_format',
    )
  }
  if (image && (mask.width !== image.width || mask.height !== image.height)) {
    throw invalidValue(
      'mask',
      'Invalid mask image format - mask size does not match image size',
      'invalid_mask_image_format',
    )
  }
}

/** The same for `images: [{ image_url }]`. An address is taken as it is: the fake fetches nothing. */
export async function checkJsonPictures(fields: Fields): Promise<number> {
  const images = Array.isArray(fields.images) ? fields.images : []
  if (images.length === 0) throw asOpenAI({ why: 'missing', field: 'images' })
  checkCount('images', images.length)
  const looks: (Look | null)[] = []
  for (const [index, image] of images.entries()) looks.push(await checkRef(image, `images[${index}]`, index + 1))
  if (isObject(fields.mask)) {
    const mask = await checkRef(fields.mask, 'mask', 1)
    const data = readDataUrl(String(fields.mask.image_url))
    if (mask && data) checkMask(data.bytes, mask, looks[0] ?? undefined)
  }
  return images.length
}

async function checkRef(ref: unknown, param: string, number: number): Promise<Look | null> {
  if (!isObject(ref)) throw asOpenAI({ why: 'type', field: param, expected: 'an object', got: 'something else' })
  const unknown = Object.keys(ref).find(key => key !== 'image_url' && key !== 'file_id')
  if (unknown !== undefined) throw asOpenAI({ why: 'unknown', field: `${param}.${unknown}` })
  const { image_url: address, file_id: file } = ref
  if ((address === undefined) === (file === undefined)) {
    throw invalidValue(param, `Invalid '${param}': exactly one of 'image_url' and 'file_id' is required.`)
  }
  if (file !== undefined) throw refuse(404, { message: `No such File object: ${file}`, param: 'id' })
  if (typeof address !== 'string') {
    throw asOpenAI({ why: 'type', field: `${param}.image_url`, expected: 'a string', got: 'something else' })
  }
  if (address.length > mostAddressLength) {
    throw asOpenAI({ why: 'length', field: `${param}.image_url`, length: address.length, most: mostAddressLength })
  }
  if (isWebAddress(address)) return null
  const data = readDataUrl(address)
  if (!data) throw invalidValue(`${param}.image_url`, `Invalid '${param}.image_url': expected a URL or a data URL.`)
  if (!imageTypes[data.type]) {
    throw invalidValue(param, `Invalid '${param}': unsupported mimetype ('${data.type}').`, 'unsupported_file_mimetype')
  }
  return await open(data.bytes, data.type, number)
}
