/** From the parts of one upstream answer to the picture it is about, or the reason why there is none. */
import { GatewayError } from '../images/error.ts'
import { mediaTypeOf, pixelSize } from '../images/media-type.ts'
import type { ImagePart, Painting, Usage } from '../images/result.ts'
import { type Soon, whenThere } from '../images/soon.ts'
import type { FetchedImage } from '../references/fetch-image.ts'
import { base64ReadAt, standardBase64 } from '../streams/base64.ts'

export interface Collected {
  /** At least one. */
  readonly paintings: readonly Painting[]
  readonly usage: Usage | undefined
  /** What was fetched for them is read no more. */
  release(): void
}

/** Gets a picture from where the upstream put it. @throws GatewayError. */
export type FetchPicture = (url: string) => Promise<FetchedImage>

export type ImageOf = Extract<ImagePart, { type: 'image' }>
type LinkOf = Extract<ImagePart, { type: 'link' }>
type FinishOf = Extract<ImagePart, { type: 'finish' }>

/**
 * Of each index the last picture that is no thought; if only thoughts came and nothing was refused, the last of them.
 * @throws GatewayError `content-refused`, `no-image` or `upstream-failed`.
 */
export async function collect(parts: readonly ImagePart[], fetchPicture: FetchPicture): Promise<Collected> {
  const images = parts.filter(part => part.type === 'image' || part.type === 'link')
  const finish = parts.findLast(part => part.type === 'finish')
  const finals = images.filter(image => image.type === 'link' || !image.thought)
  const answers = finals.length > 0 ? lastOfEach(finals) : isRefusal(finish) ? [] : images.slice(-1)
  const usage = parts.findLast(part => part.type === 'usage')?.usage
  if (answers.length === 0) throw billed(whyNone(parts, finish), usage)
  const developments = await Promise.allSettled(
    answers.map(async answer => (answer.type === 'link' ? fetched(answer, fetchPicture) : develop(answer))),
  )
  const pictures = developments.flatMap(result => (result.status === 'fulfilled' ? [result.value] : []))
  const failure = developments.find(result => result.status === 'rejected')
  // What came was paid for.
  if (failure && pictures.length === 0) throw billed(failure.reason, usage)
  const [first, ...others] = pictures
  const text = saidIn(parts)
  return {
    paintings: first ? [{ ...first, ...(text && { text }) }, ...others] : [],
    usage,
    release: () => {
      for (const picture of pictures) picture.release?.()
    },
  }
}

type Picture = Painting & { release?(): void }

/** The same failure, with what it cost. */
function billed(failure: unknown, usage: Usage | undefined): unknown {
  if (!usage || !(failure instanceof GatewayError)) return failure
  return new GatewayError(failure.kind, failure.message, { ...failure.facts, usage })
}

const lastOfEach = (images: readonly (ImageOf | LinkOf)[]) =>
  images.filter((image, at) => !images.some(({ index }, later) => later > at && index === image.index))

const isRefusal = (finish: FinishOf | undefined) => finish?.reason === 'refused' || finish?.reason === 'no-image'

/**
 * Brings the base64 to the one form that every client reads, and reads type and size off its first bytes.
 * @throws GatewayError where it is no picture.
 */
export function develop({ base64, signature, remarks }: ImageOf): Soon<Picture> {
  return whenThere(standardBase64(base64, { sample: true }), standard => {
    if (!standard) throw new GatewayError('upstream-failed', "The upstream's picture is no base64.")
    const readAt = base64ReadAt(standard)
    return whenThere(readAt(0, 32), head => {
      const mediaType = mediaTypeOf(head)
      if (!mediaType) throw unknownType()
      return whenThere(pixelSize(mediaType, readAt), pixels => ({
        base64: standard,
        mediaType,
        pixels,
        ...(signature && { signature }),
        ...(remarks && { remarks }),
      }))
    })
  })
}

const unknownType = () =>
  new GatewayError('upstream-failed', "The upstream's picture is of no type that is known here.")

async function fetched({ url, remarks }: LinkOf, fetchPicture: FetchPicture): Promise<Picture> {
  const { base64, mediaType, release } = await fetchPicture(url)
  const pixels = await pixelSize(mediaType, base64ReadAt(base64))
  return { base64, mediaType, pixels, release, ...(remarks && { remarks }) }
}

/** The model's words, its thoughts left out. */
const saidIn = (parts: readonly ImagePart[]) =>
  parts
    .flatMap(part => (part.type === 'text' && !part.thought ? [part.text] : []))
    .join('')
    .trim()

function whyNone(parts: readonly ImagePart[], finish: FinishOf | undefined): GatewayError {
  const said = saidIn(parts)
  const wireReason = finish?.wireReason
  const words = [wireReason && `(${wireReason})`, finish?.message || said].filter(Boolean).join(' ')
  const facts = { ...(wireReason && { reason: wireReason }), ...(finish?.stage && { stage: finish.stage }) }
  switch (finish?.reason) {
    case 'refused': {
      const what = finish.stage === 'input' ? 'Your prompt was' : 'The picture for your prompt was'
      return new GatewayError(
        'content-refused',
        `${what} rejected by the safety system of the model. ${words}`.trim(),
        facts,
      )
    }
    case 'length':
      return new GatewayError(
        'no-image',
        `The model ran out of tokens before it made a picture. ${words}`.trim(),
        facts,
      )
    case 'malformed':
      return new GatewayError('upstream-failed', `The model failed to answer. ${words}`.trim(), facts)
    default:
      return new GatewayError(
        'no-image',
        `The model made no picture. Say in the prompt what to draw. ${words}`.trim(),
        facts,
      )
  }
}
