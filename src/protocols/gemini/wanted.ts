/** What a call of Google's form asks for, as far as it costs: read off its skeleton, since a relayed call is not decoded. */
import { parseTier } from '../../images/geometry.ts'
import type { CallWanted } from '../../models/cost.ts'
import { LongString } from '../../streams/document-reader.ts'
import { shapeInFormat } from './format.ts'
import { configIn, member } from './member.ts'
import type { Method } from './path.ts'

type Fields = Readonly<Record<string, unknown>>

/** Counting tokens is free. Anything else is taken for one picture, which is what a call paints. */
export function wantedOfCall(method: Method, value: unknown): CallWanted {
  if (method === 'countTokens') return { count: 0, promptChars: 0, references: 0, search: false }
  const call = fieldsOf(value)
  const parts = listOf(call.contents).flatMap(content => listOf(fieldsOf(content).parts).map(fieldsOf))
  const system = listOf(fieldsOf(member(call, 'systemInstruction', 'system_instruction')).parts).map(fieldsOf)
  const image = member(configIn(call), 'imageConfig', 'image_config')
  const resolution = tierOf(member(image, 'imageSize', 'image_size') ?? shapeInFormat(value).tier)
  return {
    count: 1,
    promptChars: [...parts, ...system].reduce((sum, { text }) => sum + charsOf(text), 0),
    references: parts.filter(part => member(part, 'inlineData', 'inline_data', 'fileData', 'file_data')).length,
    search: listOf(call.tools).some(searches),
    ...(resolution !== null && { resolution }),
  }
}

/** By either of the tools, as translated calls are read. */
const searches = (tool: unknown) =>
  member(tool, 'googleSearch', 'google_search', 'googleSearchRetrieval', 'google_search_retrieval') !== undefined

const tierOf = (size: unknown) => (typeof size === 'string' ? parseTier(size) : null)
const charsOf = (text: unknown) => (typeof text === 'string' || text instanceof LongString ? text.length : 0)
const listOf = (value: unknown): readonly unknown[] =>
  Array.isArray(value) ? value : value === undefined ? [] : [value]
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {}
