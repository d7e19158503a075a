/** What the fake upstream is to answer, written into the prompt: the one place that every gateway hands through. */
import { type Size, sizes } from './documents.ts'

export interface Wish {
  readonly size: Size
  readonly variant?: number
  /** Without content-length. */
  readonly chunked?: boolean
  readonly afterSeconds?: number
}

/** `[answer 2MB variant=1 chunked after=5]` */
export function printWish({ size, variant = 0, chunked = false, afterSeconds = 0 }: Wish): string {
  return `[answer ${size} variant=${variant}${chunked ? ' chunked' : ''} after=${afterSeconds}]`
}

/** Finds the wish in a request body of any form (JSON, multipart). Throws where there is none. */
export function findWish(body: Buffer): Required<Wish> {
  const start = body.indexOf('[answer ')
  const text = start < 0 ? '' : body.toString('latin1', start, start + 80)
  const [, size, variant, chunked, after] = /^\[answer (\w+) variant=(\d+)( chunked)? after=(\d+)\]/.exec(text) ?? []
  if (size === undefined || !(size in sizes)) throw new Error('The request has no wish of an answer in its prompt.')
  return { size: size as Size, variant: Number(variant), chunked: chunked !== undefined, afterSeconds: Number(after) }
}
