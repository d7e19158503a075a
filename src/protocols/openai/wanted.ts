/** What an image call in OpenAI's form asks for, as far as it costs: a relayed call is looked at, not decoded. */
import { parsePixels } from '../../images/geometry.ts'
import type { CallWanted } from '../../models/cost.ts'
import { LongString } from '../../streams/document-reader.ts'
import type { SeenBody } from '../protocol.ts'

/**
 * A number that is none is the upstream's to refuse: it counts as one picture. One above ten is too, at OpenAI; but whoever
 * else speaks its form may paint them all, so each is counted.
 */
export function wantedOfCall(body: SeenBody): CallWanted {
  return body.kind === 'json' ? ofFields(body.value) : ofForm(body.parts)
}

/** Will the answer be a stream of events? */
export function asksForStream(body: SeenBody): boolean {
  if (body.kind === 'form') return body.parts.findLast(({ name }) => name === 'stream')?.text?.toLowerCase() === 'true'
  const { stream }: { readonly stream?: unknown } = { ...(body.value as object) }
  return stream === true
}

type Form = Extract<SeenBody, { readonly kind: 'form' }>['parts']

function ofFields(value: unknown): CallWanted {
  const { prompt, n, size, quality, image, images }: Record<string, unknown> = { ...(value as object) }
  const pictures = [image ?? [], images ?? []].flat()
  const promptChars = typeof prompt === 'string' || prompt instanceof LongString ? prompt.length : 0
  return wanted(n, size, quality, promptChars, pictures.length)
}

function ofForm(parts: Form): CallWanted {
  const last = (name: string) => parts.findLast(part => part.name === name)
  const pictures = parts.filter(({ mediaType }) => mediaType !== null)
  const text = (name: string) => last(name)?.text
  return wanted(text('n'), text('size'), text('quality'), last('prompt')?.length ?? 0, pictures.length)
}

function wanted(n: unknown, size: unknown, quality: unknown, promptChars: number, references: number): CallWanted {
  const count = Number(n ?? 1)
  return {
    count: Number.isSafeInteger(count) && count >= 1 ? count : 1,
    promptChars,
    references,
    search: false,
    ...(typeof size === 'string' && parsePixels(size) && { size }),
    ...(typeof quality === 'string' && { quality }),
  }
}
