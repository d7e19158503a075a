/**
 * The building blocks of the schema: what a size, a switch or a section looks like in the file, and the sentence that
 * says so. Numbers and switches may also come as text, because `${NAME}` gives nothing else. No sentence repeats the
 * value it is about: any of them may be a key in the wrong place.
 */

import { z } from 'zod'
import { nearest } from './spelling.ts'

/** What a value was read as, or what it must be. */
export type Reading<T> = { readonly value: T } | { readonly fault: string }

/** One value, read by hand so that the sentence fits. */
export function field<T>(read: (input: unknown) => Reading<T>) {
  return z.unknown().transform((input, context): T => {
    const reading = read(input)
    if ('value' in reading) return reading.value
    context.addIssue(input === undefined ? `is missing: it ${reading.fault}` : reading.fault)
    return z.NEVER
  })
}

/** Text that `faultOf` finds nothing wrong with. */
export function text(kind: string, faultOf: (value: string) => string | null = () => null) {
  return field<string>(input => {
    if (typeof input !== 'string') return { fault: `must be ${kind}${isScalar(input) ? ', in quotes' : ''}` }
    const fault = faultOf(input)
    return fault === null ? { value: input } : { fault }
  })
}

/** One of these words. */
export function oneOf<const T extends string>(values: readonly T[]) {
  return field<T>(input => {
    const value = values.find(known => known === input)
    return value === undefined ? { fault: `must be ${listed(values)}` } : { value }
  })
}

/** Both bounds included. */
export function wholeNumber({ min, max }: { min: number; max: number }) {
  return field<number>(input => {
    const value = typeof input === 'string' && /^\d+$/.test(input) ? Number(input) : input
    if (typeof value === 'number' && Number.isInteger(value) && value >= min && value <= max) return { value }
    return { fault: `must be a whole number from ${min} to ${max}` }
  })
}

const maxSeconds = 86_400

/** Seconds, whole or not; `orZero` where nought means something. */
export function seconds({ orZero = false, most = maxSeconds } = {}) {
  return field<number>(input => {
    const value = typeof input === 'string' && /^\d+(\.\d+)?$/.test(input) ? Number(input) : input
    if (typeof value === 'number' && value <= most && (value > 0 || (orZero && value === 0))) return { value }
    const least = orZero ? 'from 0' : 'above 0 and'
    return { fault: `must be a number of seconds ${least} up to ${most}, without a unit` }
  })
}

const unitSeconds: Readonly<Record<string, number>> = { '': 1, s: 1, m: 60, h: 3600, d: 86_400 }

/** Seconds; written `90s`, `30m`, `1h` or `7d`, or as a plain number. */
export function duration({ maxSeconds: most }: { maxSeconds: number }) {
  return field<number>(input => {
    const [, amount, unit] = /^(\d{1,9}(?:\.\d{1,3})?) ?([smhd])?$/.exec(String(input)) ?? []
    const value = Number(amount) * (unitSeconds[unit ?? ''] ?? Number.NaN)
    if (value >= 1 && value <= most) return { value }
    return {
      fault: `must be a time like 90s, 30m, 1h or 7d (s, m, h, d) or a number of seconds, from 1s to ${most / 86_400}d`,
    }
  })
}

const unitBytes: Readonly<Record<string, number>> = { '': 1, KiB: 1024, MiB: 1024 ** 2, GiB: 1024 ** 3 }

interface SizeBounds {
  readonly orZero?: boolean
  /** As it would be written. */
  readonly least?: string
}

/** Bytes; written `256MiB`, or as a plain number. */
export function size({ orZero = false, least }: SizeBounds = {}) {
  const leastBytes = least === undefined ? 1 : bytesOf(least)
  const from = least === undefined ? (orZero ? '' : 'above 0 ') : `of ${least} or more, `
  return field<number>(input => {
    const value = bytesOf(String(input))
    if (Number.isSafeInteger(value) && (value >= leastBytes || (orZero && value === 0))) return { value }
    return { fault: `must be a size ${from}like 256MiB (KiB, MiB, GiB) or a whole number of bytes` }
  })
}

/** NaN: it is no size. */
function bytesOf(written: string): number {
  const [, amount, unit] = /^(\d+(?:\.\d+)?) ?(KiB|MiB|GiB)?$/.exec(written) ?? []
  return Number(amount) * (unitBytes[unit ?? ''] ?? Number.NaN)
}

/** `true`, `false`, `on`, `off`. */
export function toggle() {
  return field<boolean>(input => {
    switch (String(input)) {
      case 'true':
      case 'on':
        return { value: true }
      case 'false':
      case 'off':
        return { value: false }
      default:
        return { fault: 'must be true or false, or on or off' }
    }
  })
}

/** `example`: an item as it is written in the file. */
export function list<T extends z.ZodType>(item: T, example: string) {
  return z.array(item, { error: issue => mustBe(issue.input, `a list, like [${example}]`) })
}

/** Names of the operator's own choosing, each with a value. */
export function table<T extends z.ZodType>(value: T, example: string) {
  return z.record(z.string(), value, { error: issue => mustBe(issue.input, `a map of names, like { ${example} }`) })
}

/**
 * A map with known keys. `later`: keys the documents promise and this version does not serve yet; they are refused with
 * a sentence of their own, so that nobody believes they work.
 */
export function section<S extends z.core.$ZodShape>(shape: S, later: readonly string[] = []) {
  const known = Object.keys(shape)
  const unknownKey = z.custom<never>(() => false, {
    error: issue => unknownKeyProblem(String(issue.path?.at(-1)), known, later),
  })
  const object = z.object(shape, { error: issue => mustBe(issue.input, `a map with keys: ${known.join(', ')}`) })
  // A catch-all that refuses gives each unknown key its own place, which zod's strict objects do not; the cast keeps its
  // index signature out of the type.
  return object.catchall(unknownKey) as unknown as typeof object
}

function unknownKeyProblem(key: string, known: readonly string[], later: readonly string[]): string {
  if (later.includes(key)) return 'is not served by this version yet: take it out'
  const meant = nearest(key, known)
  return meant === null ? `unknown key; the keys here are ${known.join(', ')}` : `unknown key; did you mean ${meant}?`
}

function mustBe(input: unknown, kind: string): string {
  return input === undefined ? `is missing: it must be ${kind}` : `must be ${kind}`
}

function isScalar(input: unknown): boolean {
  return typeof input === 'number' || typeof input === 'boolean'
}

function listed(values: readonly string[]): string {
  return values.length === 1 ? `${values[0]}` : `${values.slice(0, -1).join(', ')} or ${values.at(-1)}`
}
