/** Schemas of what is read as ProtoJSON is at Google: https://protobuf.dev/programming-guides/json/ */
import { z } from 'zod'
import { LongString } from '../../streams/document-reader.ts'
import { snakeCase } from '../snake-case.ts'

/** What follows «Invalid value at '…'» in Google's own errors. */
const wrong = (type: string, value: unknown) => `(${type}), ${shown(value)}`

const wrongType = (type: string) => ({
  error: ({ input }: { readonly input?: unknown }) => wrong(type, input),
})

const longestShown = 40

function shown(value: unknown): string {
  if (value instanceof LongString) return 'a long text'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? '[…]' : '{…}'
  if (typeof value !== 'string' || value.length <= longestShown) return JSON.stringify(value) ?? 'nothing'
  return JSON.stringify(`${value.slice(0, longestShown)}…`)
}

type Members = Readonly<Record<string, z.ZodType>>

/** Unknown members stay as they are. */
type Message<Known extends Members> = { [Name in keyof Known]?: z.output<Known[Name]> | undefined } & {
  [name: string]: unknown
}

/**
 * A message, whose members are all optional, null means absent, as no characters do but where a text is due, and names may be spelt
 * either way, at this level. Only what is there is checked: zod's own objects check each member that they know, some sixty for a call
 * that says three things.
 */
export function message<const Known extends Members>(type: string, known: Known): z.ZodType<Message<Known>> {
  const names = new Map(Object.keys(known).flatMap(name => [name, snakeCase(name)].map(spelt => [spelt, name])))
  const schemas = new Map<string, z.ZodType>(Object.entries(known))
  return z.unknown().transform((value, context) => {
    if (!isObject(value)) {
      context.addIssue({ code: 'custom', message: wrong(type, value) })
      return z.NEVER
    }
    const read: Record<string, unknown> = {}
    for (const spelt of Object.keys(value)) {
      const member = value[spelt]
      const name = names.get(spelt) ?? spelt
      const schema = schemas.get(name)
      if (member === null || (member === '' && schema && schema !== Words)) continue
      if (Object.hasOwn(read, name))
        context.addIssue({ code: 'custom', path: [name], message: '(oneof), it stands there twice' })
      const checked = schema?.safeParse(member)
      read[name] = checked?.success ? checked.data : member
      if (!checked?.error) continue
      for (const issue of checked.error.issues) context.addIssue({ ...issue, path: [name, ...issue.path] })
    }
    return read as Message<Known>
  })
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof LongString)

/** One thing where a list is due is a list of one. */
export const list = <Item extends z.ZodType>(item: Item) =>
  z.preprocess(value => (Array.isArray(value) ? value : [value]), z.array(item))

/** Of members that exclude each other (a `oneof`) at most one stands there. */
export const atMostOneOf =
  <const Names extends readonly string[]>(names: Names) =>
  (value: { readonly [Name in Names[number]]?: unknown }, context: z.RefinementCtx): void => {
    const said = (name: Names[number]) => value[name] !== undefined && value[name] !== ''
    const [first, second] = names.filter(said)
    if (first === undefined || second === undefined) return
    const message = `(oneof), '${snakeCase(first)}' is already set. Cannot set '${snakeCase(second)}'`
    context.addIssue({ code: 'custom', path: [second], message })
  }

const longestName = 1024
const numeric = (value: unknown) =>
  typeof value === 'string' && /^-?\d[\d.eE+-]*$/.test(value) ? Number(value) : value

export const Words = z.union([z.string(), z.instanceof(LongString)], wrongType('TYPE_STRING'))
export const Name = z.string(wrongType('TYPE_STRING')).max(longestName, wrongType('TYPE_STRING'))
export const Whole = z.preprocess(numeric, z.int32(wrongType('TYPE_INT32')))
export const Real = z.preprocess(numeric, z.number(wrongType('TYPE_FLOAT')))
export const Switch = z.preprocess(
  value => (value === 'true' ? true : value === 'false' ? false : value),
  z.boolean(wrongType('TYPE_BOOL')),
)

/** `most`: inclusive, as `least` is. */
export const between = <Schema extends z.ZodType<number>>(schema: Schema, least: number, most: number) =>
  schema.refine(value => value >= least && value <= most, {
    error: ({ input }) => wrong(`in the range [${least}, ${most}]`, input),
  })

/** A name of an enum, which Google takes in any case. `hint`: what it should be. */
const enumName = <Name extends string>(type: string, isOne: (name: string) => name is Name, hint: string) =>
  z.unknown().transform((value, context): Name => {
    const name = typeof value === 'string' && value.length <= longestName ? value.toUpperCase() : ''
    if (isOne(name)) return name
    context.addIssue({ code: 'custom', message: `${wrong(type, value)}. ${hint}` })
    return z.NEVER
  })

export function oneOf<const Names extends readonly string[]>(type: string, names: Names) {
  const known: ReadonlySet<string> = new Set(names)
  const isOne = (name: string): name is Names[number] => known.has(name)
  return enumName(type, isOne, `It is one of ${names.join(', ')}`)
}

/** An enum that grows: known by how its names begin. */
export const beginningWith = <Start extends string>(type: string, start: Start) =>
  enumName(type, (name): name is `${Start}${string}` => name.startsWith(start), `It begins with ${start}`)

/** Something with members that nobody here looks into. */
export const structure = (type: string) => z.custom<Readonly<Record<string, unknown>>>(isObject, wrongType(type))
