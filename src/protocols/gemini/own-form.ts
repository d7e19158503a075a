/**
 * A caller's request in Google's own form, kept beside the neutral one: an upstream of the same protocol gets all of it, with what the
 * neutral form has no word for (the order of pictures and words, thought signatures, safety settings, temperature).
 */
import { type SpecialWord, specialWords } from '../../dialects/gemini.ts'
import type { Reference } from '../../images/request.ts'
import { LongString } from '../../streams/document-reader.ts'
import { RawString } from '../../streams/json-writer.ts'
import type { Target, WireDocument } from '../protocol.ts'
import type { GenerationConfig } from './config-wire.ts'
import { outputExtras } from './extras.ts'
import { pathOf } from './fields.ts'
import type { GenerateContentRequest, WireContent, WirePart } from './request-wire.ts'
import { speakerOf } from './roles.ts'

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
  encode(target: Target, references: readonly object[], known: readonly SpecialWord[]): object {
    const { model: _model, contents, generationConfig, ...rest } = this.#request
    return {
      ...this.#raw(rest),
      contents: (contents ?? []).map(content => this.#encodeContent(content, references)),
      ...encodeConfig(this.#raw(generationConfig ?? {}), target, known),
    }
  }

  #encodeContent(content: WireContent, references: readonly object[]): object {
    const { parts, role, ...rest } = content
    const encoded = parts?.map(part => this.#encodePart(part, references))
    // The two that Google's API takes, so written.
    return {
      role: speakerOf(role) === 'model' ? 'model' : 'user',
      ...this.#raw(rest),
      ...(encoded && { parts: encoded }),
    }
  }

  #encodePart(part: WirePart, references: readonly object[]): object {
    const reference = references[this.#places.get(part) ?? -1]
    if (!reference) return this.#raw(part)
    // Beside a picture a text can only be empty.
    const { inlineData: _inline, fileData: _file, text: _text, ...rest } = part
    return { ...this.#raw(rest), ...reference }
  }

  /**
   * The places of words that stay behind where only these special ones are known, or come to nothing: of several answers merged into
   * one the pictures are kept, not what the model thought before. A file's type is seen to here.
   */
  unheard(known: readonly SpecialWord[]): readonly string[] {
    const { generationConfig = {} } = this.#request
    const { imageConfig, thinkingConfig } = generationConfig
    const { imageOutputOptions: _, ...words } = imageConfig ?? {}
    const unsaid = Object.keys(words).filter(name => !isHeard(name, known))
    return [
      ...unsaid.map(name => pathOf(['generationConfig', 'imageConfig', name])),
      ...outputExtras(generationConfig).map(([place]) => place),
      ...(thinkingConfig?.includeThoughts ? [pathOf(['generationConfig', 'thinkingConfig', 'includeThoughts'])] : []),
    ]
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
function encodeConfig(config: GenerationConfig, { ratio, resolution }: Target, known: readonly SpecialWord[]): object {
  const { candidateCount: _count, imageConfig, responseFormat, ...rest } = config
  const { aspectRatio: _ratio, imageSize: _size, imageOutputOptions: _output, ...others } = imageConfig ?? {}
  const said = Object.entries(others).filter(([name]) => isHeard(name, known))
  const shape = {
    ...Object.fromEntries(said),
    ...(ratio && { aspectRatio: ratio }),
    ...(resolution && { imageSize: resolution }),
  }
  const formats = (responseFormat ?? []).map(({ image: _image, ...other }) => other)
  const saying = formats.filter(format => Object.keys(format).length > 0)
  const encoded = {
    ...rest,
    ...(Object.keys(shape).length > 0 && { imageConfig: shape }),
    ...(saying.length > 0 && { responseFormat: saying }),
  }
  return Object.keys(encoded).length > 0 ? { generationConfig: encoded } : {}
}

const isHeard = (name: string, known: readonly SpecialWord[]) =>
  specialWords.every(word => known.includes(word) || word !== name)

/** All references of a request, in the order in which an own form numbers them. */
export const referencesOf = (request: {
  readonly turns: readonly { readonly images: readonly Reference[] }[]
  readonly images: readonly Reference[]
}): readonly Reference[] => [...request.turns.flatMap(({ images }) => images), ...request.images]
