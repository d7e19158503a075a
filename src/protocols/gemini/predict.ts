/**
 * Imagen's form, `:predict`, which several clients use for every model whose name does not begin with `gemini-`:
 * https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
 */
import type { Bytes } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import type { ImageRequest, Reference, Shape } from '../../images/request.ts'
import type { ImageResult } from '../../images/result.ts'
import { RawString, writeJson } from '../../streams/json-writer.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import { readText } from '../text.ts'
import { checkFields, invalid, unknownFields } from './fields.ts'
import { tierOf } from './format.ts'
import { outputOf } from './output.ts'
import { PredictRequest, type WirePicture } from './predict-wire.ts'
import { decodeAddress, decodeInline } from './reference.ts'
import { agreed } from './said.ts'
import { decodeCount, shapeOf } from './shape.ts'

type Instance = NonNullable<PredictRequest['instances']>[number]
type Parameters = NonNullable<PredictRequest['parameters']>

const place = 'instances[0]'
/** The fields by the names that the gateway's own errors would use, and their places in a call. */
const spelling: ReadonlyMap<string, string> = new Map([
  ['aspect_ratio', 'parameters.aspect_ratio'],
  ['output_format', 'parameters.output_options.mime_type'],
  ['output_compression', 'parameters.output_options.compression_quality'],
  ['n', 'parameters.sample_count'],
  ['seed', 'parameters.seed'],
  ['prompt', `${place}.prompt`],
])

const longestPrompt = 32_000

/** @throws GatewayError for what the caller should change, naming the field's path. */
export async function decodePredict(document: WireDocument, bounds: RequestBounds): Promise<ImageRequest> {
  const request = checkFields(PredictRequest, document.value)
  const instance = onlyInstance(request)
  const parameters = request.parameters ?? {}
  const { outputOptions, seed } = parameters
  const prompt = await readText(instance.prompt ?? '', `${place}.prompt`, longestPrompt, document)
  if (prompt.trim() === '') {
    throw new GatewayError('invalid-request', `${place}.prompt: a prompt is required, such as "A red kite".`, {
      param: `${place}.prompt`,
      code: 'missing_required_parameter',
    })
  }
  return {
    model: null,
    prompt,
    images: await decodeImages(instance, document, bounds),
    turns: [],
    count: decodeCount(parameters.sampleCount, 'parameters.sample_count'),
    shape: decodeShape(parameters),
    ...outputOf(
      { said: outputOptions?.mimeType, place: 'parameters.output_options.mime_type' },
      { said: outputOptions?.compressionQuality, place: 'parameters.output_options.compression_quality' },
    ),
    search: false,
    ...(seed !== undefined && { seed }),
    spelling: new Map([
      ...spelling,
      ['image_size', `parameters.${parameters.sampleImageSize ? 'sample_' : ''}image_size`],
      ['image', `${place}.${instance.image ? 'image' : 'reference_images'}`],
    ]),
    extras: { protocol: 'gemini', fields: namedExtras(request, instance) },
  }
}

function onlyInstance({ instances = [] }: PredictRequest): Instance {
  const [instance, ...more] = instances
  if (instance && more.length === 0) return instance
  throw invalid(`Only one instance is taken, ${instances.length} were sent. Ask for more by sampleCount.`, 'instances')
}

function decodeShape({ aspectRatio, sampleImageSize, imageSize }: Parameters): Shape {
  const tier = agreed(
    { said: tierOf(sampleImageSize), place: 'parameters.sample_image_size' },
    { said: tierOf(imageSize), place: 'parameters.image_size' },
  )
  return shapeOf({ said: aspectRatio, place: 'parameters.aspect_ratio' }, tier)
}

async function decodeImages(
  { image, referenceImages = [], mask }: Instance,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<readonly Reference[]> {
  if (mask !== undefined && mask !== null) throw noMask(`${place}.mask`)
  const pictures: [WirePicture | undefined, string][] = image ? [[image, `${place}.image`]] : []
  for (const [index, { referenceType, referenceImage }] of referenceImages.entries()) {
    const at = `${place}.reference_images[${index}]`
    if (referenceType?.toUpperCase().includes('MASK')) throw noMask(`${at}.reference_type`)
    pictures.push([referenceImage, `${at}.reference_image`])
  }
  if (pictures.length > bounds.maxImages) {
    throw invalid(`At most ${bounds.maxImages} pictures are allowed.`, `${place}.reference_images`)
  }
  const references: Reference[] = []
  for (const [picture, at] of pictures) references.push(await decodePicture(picture, at, document, bounds))
  return references
}

// White where Imagen may paint: nothing else here has masks of that kind.
const noMask = (param: string) =>
  new GatewayError('unsupported-parameter', `Imagen's masks are not served: use /v1/images/edits with a mask.`, {
    param,
  })

function decodePicture(
  picture: WirePicture | undefined,
  at: string,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Reference> {
  if (picture?.gcsUri) return decodeAddress(picture.gcsUri, picture.mimeType, at, 'gcs_uri', document)
  return decodeInline(picture?.bytesBase64Encoded, picture?.mimeType, at, 'bytes_base64_encoded', document, bounds)
}

const inRequest = new Set(['instances', 'parameters'])
const inInstance = new Set(['prompt', 'image', 'referenceImages', 'mask'])
// The number of a reference is how a prompt speaks of it: all of them go up, in their order.
const inReference = new Set(['referenceId', 'referenceImage'])
// What any other type would make of the picture is lost: all are shown to the model as they are.
const inRawReference = new Set([...inReference, 'referenceType'])
const isRaw = (type = '') => /^(?:REFERENCE_TYPE_(?:RAW|UNSPECIFIED))?$/i.test(type)
const inPicture = new Set(['bytesBase64Encoded', 'gcsUri', 'mimeType'])
const inOutputOptions = new Set(['mimeType', 'compressionQuality'])
const inParameters = new Set(['sampleCount', 'aspectRatio', 'sampleImageSize', 'imageSize', 'outputOptions', 'seed'])

const namedExtras = (request: PredictRequest, instance: Instance) =>
  new Map([
    ...unknownFields(request, inRequest),
    ...unknownFields(instance, inInstance, ['instances', 0]),
    ...unknownFields(instance.image, inPicture, ['instances', 0, 'image']),
    ...(instance.referenceImages ?? []).flatMap((reference, index) => {
      const at = ['instances', 0, 'referenceImages', index]
      return [
        ...unknownFields(reference, isRaw(reference.referenceType) ? inRawReference : inReference, at),
        ...unknownFields(reference.referenceImage, inPicture, [...at, 'referenceImage']),
      ]
    }),
    ...unknownFields(request.parameters, inParameters, ['parameters']),
    ...unknownFields(request.parameters?.outputOptions, inOutputOptions, ['parameters', 'outputOptions']),
  ])

/** A prediction for each picture that came. */
export const encodePredictions = ({ paintings }: ImageResult): Bytes =>
  writeJson({
    predictions: paintings.map(({ base64, mediaType }) => ({
      mimeType: mediaType,
      bytesBase64Encoded: new RawString(base64),
    })),
  })

/** A refusal is an answer with status 200 here. Null where the error is none. */
export function encodeFiltered({ kind, message }: GatewayError): Bytes | null {
  if (kind !== 'content-refused' && kind !== 'no-image') return null
  return writeJson({ predictions: [{ raiFilteredReason: message }] })
}
