/** The half of Gemini's protocol that faces upstreams: generateContent requests out, GenerateContentResponses in. */
import type { GeminiDialect } from '../../dialects/gemini.ts'
import type { Bytes } from '../../images/bytes.ts'
import { mediaTypeOfName } from '../../images/media-type.ts'
import { type ImageRequest, isLink, type Reference, type Turn } from '../../images/request.ts'
import { RawString, writeJson } from '../../streams/json-writer.ts'
import { maskLabel } from '../mask-label.ts'
import type { Outbound, Target } from '../protocol.ts'
import { OwnForm, referencesOf } from './own-form.ts'
import { isPassable } from './passable.ts'
import { decodeResult, superseded } from './result.ts'
import { withRoles } from './roles.ts'
import { decodeError } from './upstream-errors.ts'

export function createOutbound(dialect: GeminiDialect): Outbound {
  const { modelsPath, readsFrom, needsRole, streams } = dialect
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
      body: encodeBody(request, target),
      ignored: ignoredOf(request),
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

const ignoredOf = (request: ImageRequest) =>
  request.extras.own instanceof OwnForm ? [] : [...request.extras.fields.keys(), ...unheard(request)]

function encodeBody(request: ImageRequest, target: Target): Bytes {
  const { own } = request.extras
  if (!(own instanceof OwnForm)) return writeJson(encodeNeutral(request, target))
  return writeJson(own.encode(target, referencesOf(request).map(encodeReference)))
}

function encodeNeutral(request: ImageRequest, { ratio, resolution }: Target): object {
  const imageConfig = { ...(ratio && { aspectRatio: ratio }), ...(resolution && { imageSize: resolution }) }
  const generationConfig = {
    // Without text the model does not answer with a question or a polite refusal instead of a picture.
    responseModalities: ['IMAGE'],
    ...((ratio || resolution) && { imageConfig }),
    ...(request.seed !== undefined && { seed: request.seed }),
    ...(request.mediaResolution && { mediaResolution: `MEDIA_RESOLUTION_${request.mediaResolution.toUpperCase()}` }),
  }
  const { turns, prompt, images, system, search } = request
  const asked = encodeTurn({ role: 'user', text: prompt, images })
  return {
    contents: [...turns.map(encodeTurn), { ...asked, parts: [...asked.parts, ...encodeMask(request)] }],
    ...(system && { systemInstruction: { parts: [{ text: system }] } }),
    ...(search && { tools: [{ googleSearch: {} }] }),
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

/** Vertex reads no file whose type it is not told, and other protocols' callers have no word for that. */
function withType(reference: Reference): Reference {
  const mediaType = isLink(reference) && !reference.mediaType && mediaTypeOfName(reference.url)
  return mediaType ? { ...reference, mediaType } : reference
}

const encodeMask = ({ mask }: ImageRequest) =>
  mask
    ? [
        { text: maskLabel({ mask: 'The next picture', picture: 'the first picture of this message' }) },
        encodeReference(mask),
      ]
    : []
