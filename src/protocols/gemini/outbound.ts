/** The half of Gemini's protocol that faces upstreams: generateContent requests out, GenerateContentResponses in. */
import type { GeminiDialect, SpecialWord } from '../../dialects/gemini.ts'
import type { Bytes } from '../../images/bytes.ts'
import { GatewayError } from '../../images/error.ts'
import { mediaTypeOfName } from '../../images/media-type.ts'
import { type ImageRequest, isLink, type Reference, type Turn } from '../../images/request.ts'
import { RawString, writeJson } from '../../streams/json-writer.ts'
import { maskLabel } from '../mask-label.ts'
import type { Outbound, Target } from '../protocol.ts'
import { OwnForm, referencesOf } from './own-form.ts'
import { isPassable } from './passable.ts'
import { personGenerationOf } from './person-generation.ts'
import { decodeResult, superseded } from './result.ts'
import { withRoles } from './roles.ts'
import { safetySettingsOf } from './safety-settings.ts'
import { decodeError } from './upstream-errors.ts'

export function createOutbound(dialect: GeminiDialect): Outbound {
  const { modelsPath, readsFrom, needsRole, streams, specialWords } = dialect
  const pathOf = (model: string, method: string) => `${modelsPath}/${encodeURIComponent(model)}:${method}`
  return {
    mostPerCall: () => 1,
    reads: ({ url }) => readsFrom.some(start => url.startsWith(start)),
    masks: false,
    formats: () => false,
    canStream: () => streams,
    pathOf,
    ...(needsRole && { mended: withRoles }),
    passes: (_operation, body) => body.kind === 'json' && isPassable(dialect, body.value),
    encodeRequest: (request, target) => ({
      method: 'POST',
      // A stream brings what drafts the model makes anyway. Thoughts are not asked for: they may be billed.
      path: pathOf(target.model, target.stream ? 'streamGenerateContent?alt=sse' : 'generateContent'),
      body: encodeBody(request, target, dialect),
      ignored: ignoredOf(request, specialWords),
    }),
    decodeResult,
    // Events have the form of whole answers: the last says why it is the last, and what usage says grows.
    decodeEvent: decodeResult,
    superseded,
    decodeError,
  }
}

/** What a model that nobody knows is asked for and Google's API has no field for. A known one is refused before. */
const unheard = ({ background, spelling }: ImageRequest) =>
  background === 'transparent' ? [spelling.get('background') ?? 'background'] : []

function ignoredOf(request: ImageRequest, known: readonly SpecialWord[]): readonly string[] {
  const { own } = request.extras
  if (own instanceof OwnForm) return own.unheard(known)
  const sent = [safetySettingsOf(request)?.name, personGenerationOf(request, known)?.name]
  return [...[...request.extras.fields.keys()].filter(name => !sent.includes(name)), ...unheard(request)]
}

function encodeBody(request: ImageRequest, target: Target, dialect: GeminiDialect): Bytes {
  const { own } = request.extras
  const references = referencesOf(request)
  if (own instanceof OwnForm) {
    return writeJson(own.encode(target, references.map(encodeReference), dialect.specialWords))
  }
  for (const reference of references) checkFile(reference, dialect)
  return writeJson(encodeNeutral(request, target, dialect.specialWords))
}

// Google's field is an int32; another upstream may take more, or none.
const largestSeed = 2 ** 31 - 1

function checkSeed({ seed = 0, spelling }: ImageRequest): void {
  if (seed >= -largestSeed - 1 && seed <= largestSeed) return
  const param = spelling.get('seed') ?? 'seed'
  const sentence = `Invalid value for '${param}': must be between ${-largestSeed - 1} and ${largestSeed}.`
  throw new GatewayError('invalid-request', sentence, { param, code: 'invalid_value', notSent: true })
}

function encodeNeutral(request: ImageRequest, { ratio, resolution }: Target, known: readonly SpecialWord[]): object {
  checkSeed(request)
  const persons = personGenerationOf(request, known)
  const imageConfig = {
    ...(ratio && { aspectRatio: ratio }),
    ...(resolution && { imageSize: resolution }),
    ...(persons && { personGeneration: persons.value }),
  }
  const generationConfig = {
    // Without text the model does not answer with a question or a polite refusal instead of a picture.
    responseModalities: ['IMAGE'],
    ...((ratio || resolution || persons) && { imageConfig }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.mediaResolution && { mediaResolution: `MEDIA_RESOLUTION_${request.mediaResolution.toUpperCase()}` }),
  }
  const { turns, prompt, images, system, search } = request
  const asked = encodeTurn({ role: 'user', text: prompt, images })
  const safety = safetySettingsOf(request)
  return {
    contents: [...turns.map(encodeTurn), { ...asked, parts: [...asked.parts, ...encodeMask(request)] }],
    ...(system && { systemInstruction: { parts: [{ text: system }] } }),
    ...(search && { tools: [{ googleSearch: {} }] }),
    ...(safety && { safetySettings: safety.settings }),
    generationConfig,
  }
}

const encodeTurn = ({ role, text, images }: Turn) => ({
  role,
  parts: [...(text || images.length === 0 ? [{ text }] : []), ...images.map(withType).map(encodeReference)],
})

const encodeReference = (reference: Reference) =>
  isLink(reference)
    ? { fileData: { fileUri: reference.url, ...(reference.mediaType && { mimeType: reference.mediaType }) } }
    : { inlineData: { mimeType: reference.mediaType, data: new RawString(reference.base64) } }

/** Other protocols' callers have no word for the type of a file that is read elsewhere. */
function withType(reference: Reference): Reference {
  const mediaType = isLink(reference) && !reference.mediaType && mediaTypeOfName(reference.url)
  return mediaType ? { ...reference, mediaType } : reference
}

/** @throws GatewayError for a file of unknown type, where the vendor would refuse it. */
function checkFile(reference: Reference, { needsFileType }: GeminiDialect): void {
  if (!needsFileType || !isLink(reference) || withType(reference).mediaType) return
  const { param } = reference
  const sentence = `Invalid picture '${param}': its upstream reads files whose type it is told, and neither its name nor its mime type tells one. Let it end in .png, .jpg, .webp, .heic or .heif.`
  throw new GatewayError('invalid-request', sentence, { param, code: 'invalid_image', notSent: true })
}

const encodeMask = ({ mask }: ImageRequest) =>
  mask
    ? [
        { text: maskLabel({ mask: 'The next picture', picture: 'the first picture of this message' }) },
        encodeReference(mask),
      ]
    : []
