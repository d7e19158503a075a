/** The pictures of a request that are named by their address: fetched before the call, for the upstreams that can't read them there. */
import { GatewayError } from '../images/error.ts'
import { type ImageInput, type ImageLink, type ImageRequest, isLink, type Reference } from '../images/request.ts'
import type { Soon } from '../images/soon.ts'
import { liesAtGoogle } from '../protocols/picture-address.ts'
import type { Outbound } from '../protocols/protocol.ts'
import type { References } from '../references/references.ts'
import type { Candidate } from './routing.ts'

/** Who can say which addresses it reads by itself. */
export type Reader = Pick<Outbound, 'reads'>

export interface RequestLinks {
  /**
   * The request as this upstream can read it. Each picture is fetched once, whoever asks. `most`: so many pictures of a chat are
   * shown to it, the latest; those before stay addresses. @throws GatewayError naming the field.
   */
  readableBy(reader: Reader, most?: number): Soon<ImageRequest>
  /** What was fetched is read no more. */
  release(): void
}

export function openLinks(
  request: ImageRequest,
  references: Pick<References, 'fetch' | 'isAllowed'>,
  signal: AbortSignal,
): RequestLinks {
  const links = linksOf(request)
  if (links.length === 0) return { readableBy: () => request, release: () => {} }
  const images = new Map<string, ImageInput>()
  const requests = new Map<Reader, Promise<ImageRequest>>()
  const releases: (() => void)[] = []
  let before: Promise<unknown> = Promise.resolve()

  async function fetchFor(reader: Reader, most: number | undefined): Promise<ImageRequest> {
    const isLeft = (link: ImageLink) => reader.reads(link) && !references.isAllowed(link.url)
    const missing = linksOf(request, most).filter(link => !isLeft(link) && !images.has(link.url))
    const fetched = await references.fetch(missing, signal)
    releases.push(fetched.release)
    for (const [at, image] of fetched.images.entries()) images.set(missing[at]?.url ?? '', image)
    return withPictures(request, link => (isLeft(link) ? link : (images.get(link.url) ?? link)))
  }

  return {
    readableBy(reader, most) {
      const known = requests.get(reader)
      if (known) return known
      // One after the other, so that the later finds what the earlier fetched.
      const fetching = before.then(() => fetchFor(reader, most))
      before = fetching.catch(() => {})
      requests.set(reader, fetching)
      return fetching
    },
    release() {
      for (const release of releases.splice(0)) release()
    },
  }
}

/** Each address once. */
function linksOf({ images, mask, turns }: ImageRequest, most = Number.POSITIVE_INFINITY): readonly ImageLink[] {
  const pictures = [...turns.flatMap(turn => turn.images), ...images]
  const latest = pictures.slice(Math.max(0, pictures.length - most))
  const all = [...latest, ...(mask ? [mask] : [])].filter(isLink)
  return [...new Map(all.toReversed().map(link => [link.url, link])).values()].toReversed()
}

/**
 * Those of the plans whose upstream can be given every picture of the request.
 * @throws GatewayError naming the field of a picture that lies where none of them can read it.
 */
export function readersOf<Plan extends { readonly candidate: Candidate }>(
  request: ImageRequest,
  plans: readonly Plan[],
): readonly Plan[] {
  const unfetchable = linksOf(request).filter(({ url }) => liesAtGoogle(url))
  const reads = ({ candidate }: Plan, link: ImageLink) => candidate.outbound.reads(link)
  const able = plans.filter(plan => unfetchable.every(link => reads(plan, link)))
  if (able.length > 0) return able
  const { param } = unfetchable.find(link => !plans.some(plan => reads(plan, link))) ?? unfetchable[0] ?? {}
  const sentence =
    'no upstream of this model can read it there. Send a file, a data URL, base64 text or an https address'
  const facts = { code: 'invalid_image', ...(param !== undefined && { param }) }
  throw new GatewayError('invalid-request', `Invalid picture '${param}': ${sentence}.`, facts)
}

function withPictures(request: ImageRequest, put: (link: ImageLink) => Reference): ImageRequest {
  const each = (reference: Reference) => (isLink(reference) ? put(reference) : reference)
  return {
    ...request,
    images: request.images.map(each),
    ...(request.mask && { mask: each(request.mask) }),
    turns: request.turns.map(turn => ({ ...turn, images: turn.images.map(each) })),
  }
}
