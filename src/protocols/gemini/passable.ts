/** Which calls are read at all, and which can be passed on as they came. */
import { type GeminiDialect, type SpecialWord, specialWords } from '../../dialects/gemini.ts'
import { GatewayError } from '../../images/error.ts'
import { LongString } from '../../streams/document-reader.ts'
import { isAddress } from '../picture-address.ts'
import { snakeCase } from '../snake-case.ts'
import { asksForType } from './format.ts'
import { configIn, member } from './member.ts'

// Tens of thousands of tiny contents are read for a second, in which nobody else is served. A turn of a chat has five to eight.
const mostValues = 30_000

/** @throws GatewayError where the body is no object, so that nothing of what follows would make sense, or has too much in it. */
export function checkCall(value: unknown): void {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw unreadable('The body must be an object with contents.')
  if (roomLeft(value, mostValues) < 0) throw unreadable(`The body has more than ${mostValues} fields and items.`)
}

const unreadable = (why: string) => new GatewayError('invalid-request', `Invalid JSON payload received. ${why}`)

/** What is left of a number of values when all in this one are counted; below 0 it was not counted to its end. */
function roomLeft(value: unknown, room: number): number {
  if (typeof value !== 'object' || value === null || value instanceof LongString) return room
  const inside = Object.values(value)
  let left = room - inside.length
  for (const item of inside) if (left >= 0) left = roomLeft(item, left)
  return left
}

/** Does the vendor understand all of a call? Else its pictures are fetched here, or the answer's converted. */
export function isPassable({ readsFrom, specialWords: known }: GeminiDialect, value: unknown): boolean {
  if (readsFrom.length === 0 && filesIn(value).length > 0) return false
  return !asksForType(value) && specialWords.every(word => known.includes(word) || !isInImageConfig(word, value))
}

function isInImageConfig(word: SpecialWord, value: unknown): boolean {
  const image = member(configIn(value), 'imageConfig', 'image_config')
  return member(image, word, snakeCase(word)) !== undefined
}

/** More than one candidate, which Google's image models refuse and several calls can give. Any spelling; nonsense is no number. */
export function asksForMany(value: unknown): boolean {
  return Number(member(configIn(value), 'candidateCount', 'candidate_count')) > 1
}

/** The addresses of pictures that its upstream would have to read, but for very long ones. Any spelling. */
export const picturesAt = (value: unknown): readonly string[] =>
  filesIn(value)
    .map(file => member(file, 'fileUri', 'file_uri'))
    .filter(uri => typeof uri === 'string')
    .filter(isAddress)

/** What stands in place of pictures that lie elsewhere. */
function filesIn(value: unknown): readonly unknown[] {
  const contents = [member(value, 'contents')].flat()
  return contents
    .flatMap(content => member(content, 'parts'))
    .map(part => member(part, 'fileData', 'file_data'))
    .filter(file => file !== undefined)
}
