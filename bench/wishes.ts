/** What the fake upstream is to answer, written into the prompt: the one place that every gateway hands through. */
import { type Form, type Size, sizes } from './documents.ts'

export interface Wish {
  readonly size: Size
  readonly variant?: number
  /** Without content-length. */
  readonly chunked?: boolean
  readonly afterSeconds?: number
  /** Whose answer it is. Default: Google's. */
  readonly form?: Form
  /** The upstream looks whether it got so many pictures of the edits, byte by byte, and answers nothing but its complaint otherwise. */
  readonly uploads?: number
}

/** `[answer 2MB gemini variant=1 chunked after=5 uploads=0]` */
export function printWish({
  size,
  variant = 0,
  chunked = false,
  afterSeconds = 0,
  form = 'gemini',
  uploads = 0,
}: Wish): string {
  return `[answer ${size} ${form} variant=${variant}${chunked ? ' chunked' : ''} after=${afterSeconds} uploads=${uploads}]`
}

/** Finds the wish in a request body of any form (JSON, multipart). Throws where there is none. */
export function findWish(body: Buffer): Required<Wish> {
  const start = body.indexOf('[answer ')
  const text = start < 0 ? '' : body.toString('latin1', start, start + 100)
  const [, size, form, variant, chunked, after, uploads] =
    /^\[answer (\w+) (gemini|openai) variant=(\d+)( chunked)? after=(\d+) uploads=(\d+)\]/.exec(text) ?? []
  if (size === undefined || !(size in sizes)) throw new Error('The request has no wish of an answer in its prompt.')
  return {
    size: size as Size,
    form: form as Form,
    variant: Number(variant),
    chunked: chunked !== undefined,
    afterSeconds: Number(after),
    uploads: Number(uploads),
  }
}
