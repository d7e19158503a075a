/**
 * A caller's request in Google's own form, kept beside the neutral one: an upstream of the same protocol gets all of it, with what the
 * neutral form has no word for (the order of pictures and words, thought signatures, safety settings, temperature).
 */
import type { Reference } from '../../images/request.ts'
import { LongString } from '../../streams/document-reader.ts'
import { RawString } from '../../streams/json-writer.ts'
import type { Target, WireDocument } from '../protocol.ts'
import type { GenerateContentRequest, GenerationConfig, WireContent, WirePart } from './request-wire.ts'

export class OwnForm {
  readonly #request: GenerateContentRequest
  readonly #places: ReadonlyMap<WirePart, number>
  readonly #document: WireDocument

  /** `places`: which of the request's references each part shows. */
  constructor(request: GenerateContentRequest, places: ReadonlyMap<WirePart, number>, document: WireDocument) {
    this.#request = request
    this.#places = places
    this.#document = document
  }

  /** For `writeJson`. The count is not in it: one call paints one picture. */
  encode(target: Target, references: readonly object[]): object {
    const { model: _model, contents, generationConfig, ...rest } = this.#request
    return {
      ...this.#raw(rest),
      contents: (contents ?? []).map(content => this.#encodeContent(content, references)),
      ...encodeConfig(this.#raw(generationConfig ?? {}), target),
    }
  }

  #encodeContent(content: WireContent, references: readonly object[]): object {
    const { parts, ...rest } = content
    const encoded = parts?.map(part => this.#encodePart(part, references))
    // Where nobody is named they are the user's words; not every vendor knows.
    return { role: 'user', ...this.#raw(rest), ...(encoded && { parts: encoded }) }
  }

  #encodePart(part: WirePart, references: readonly object[]): object {
    const reference = references[this.#places.get(part) ?? -1]
    if (!reference) return this.#raw(part)
    const { inlineData: _inline, fileData: _file, ...rest } = part
    return { ...this.#raw(rest), ...reference }
  }

  /** Long strings go out as they lie in the caller's document. */
  #raw<Value>(value: Value): Value
  #raw(value: unknown): unknown {
    if (value instanceof LongString) return new RawString(this.#document.bytesOf(value))
    if (Array.isArray(value)) return value.map(item => this.#raw(item))
    if (typeof value !== 'object' || value === null) return value
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, this.#raw(item)]))
  }
}

/** Shape and file type are decided by then, and said in the one form that every upstream of this protocol takes. */
function encodeConfig(config: GenerationConfig, { ratio, resolution }: Target): object {
  const { candidateCount: _count, imageConfig, responseFormat, ...rest } = config
  const { aspectRatio: _ratio, imageSize: _size, imageOutputOptions: _output, ...others } = imageConfig ?? {}
  const shape = { ...others, ...(ratio && { aspectRatio: ratio }), ...(resolution && { imageSize: resolution }) }
  const formats = responseFormat?.filter(({ image }) => !image) ?? []
  const encoded = {
    ...rest,
    ...(Object.keys(shape).length > 0 && { imageConfig: shape }),
    ...(formats.length > 0 && { responseFormat: formats }),
  }
  return Object.keys(encoded).length > 0 ? { generationConfig: encoded } : {}
}

/** All references of a request, in the order in which an own form numbers them. */
export const referencesOf = (request: {
  readonly turns: readonly { readonly images: readonly Reference[] }[]
  readonly images: readonly Reference[]
}): readonly Reference[] => [...request.turns.flatMap(({ images }) => images), ...request.images]
