/** An edit within a mask at an upstream that takes no masks: what is read before, and what goes up. */
import { GatewayError } from '../images/error.ts'
import { tierOf } from '../images/geometry.ts'
import { pixelSize } from '../images/media-type.ts'
import { type ImageInput, type ImageLink, type ImageRequest, isLink, type Shape } from '../images/request.ts'
import type { Resolution } from '../models/catalogue.ts'
import { mostPicturePixels } from '../pixels/look.ts'
import type { MaskedPicture } from '../pixels/mask.ts'
import { liesAtGoogle } from '../protocols/picture-address.ts'
import type { Target } from '../protocols/protocol.ts'
import { base64ReadAt } from '../streams/base64.ts'
import type { RequestLinks } from './links.ts'
import { type Plan, targetOf } from './plans.ts'

/** A plan, and the masked picture where the gateway puts the edit together. */
export interface Commission extends Plan {
  readonly masked: MaskedPicture | null
  /** Fields that have no effect on it, as the caller spelt them. */
  readonly ignored: readonly string[]
}

/** The mask and the picture it is for, fetched where they were named by their address. @throws GatewayError where that can't be. */
export async function masksPictures(
  asked: ImageRequest,
  links: RequestLinks,
): Promise<{ readonly mask: ImageInput; readonly picture: ImageInput } | null> {
  const needed = [asked.mask, asked.images[0]]
  const isNeeded = ({ url }: ImageLink) => needed.some(each => each && isLink(each) && each.url === url)
  const readable = await links.readableBy({ reads: link => liesAtGoogle(link.url) || !isNeeded(link) })
  const { mask, images } = readable
  const [picture] = images
  if (!mask || !picture) return null
  if (isLink(mask)) throw notHere(mask)
  if (isLink(picture)) throw notHere(picture)
  return { mask, picture }
}

function notHere({ param }: ImageLink): GatewayError {
  const sentence = `An edit with a mask is put together here, where the picture in '${param}' can't be fetched. Send its bytes.`
  return new GatewayError('invalid-request', sentence, { param, code: 'invalid_image' })
}

/** The pixels of a picture by its headers, as the line before the encoders counts them. */
export async function areaByHeaders({ mediaType, base64 }: ImageInput): Promise<number> {
  const size = await pixelSize(mediaType, base64ReadAt(base64))
  return size ? Math.min(size.width * size.height, mostPicturePixels) : mostPicturePixels
}

/**
 * A plan for the shape of the original: in another ratio what the model paints would not fit into it. The resolution is what
 * was asked for, else the original's: the answer is of the original's size in any case.
 */
export function commissionWithin(
  masked: MaskedPicture,
  asked: ImageRequest,
  plan: Plan,
  model: Resolution,
): Commission {
  const { candidate } = plan
  // Drafts are not put together with the original, so none are shown.
  const { stream: _, ...still } = asked
  const target = targetOf(candidate, model, { ...still, shape: shapeOf(masked, plan) })
  return { candidate, target, masked, ignored: withoutEffect(asked, masked, plan, target) }
}

const shapeOf = ({ size }: MaskedPicture, { target: { resolution } }: Plan): Shape => ({
  pixels: size,
  ...(resolution !== undefined && { resolution }),
})

/** What goes up of a request: within a mask that is shown, the mask as a picture and the original upright. */
export function requestFor(commission: Commission, readable: ImageRequest): ImageRequest {
  const { masked } = commission
  if (!masked) return readable
  const images = [masked.upright, ...readable.images.slice(1)]
  return { ...readable, images, mask: masked.shown, shape: shapeOf(masked, commission) }
}

/** What the caller asked of the shape that the answer won't have. */
function withoutEffect(
  asked: ImageRequest,
  { size }: MaskedPicture,
  { target: { ratio, resolution } }: Plan,
  target: Target,
): readonly string[] {
  const tier = asked.spelling.get('image_size') ?? asked.spelling.get('resolution')
  return [
    ...(ratio !== undefined && ratio !== target.ratio ? ratioFields(asked) : []),
    ...(tier && resolution !== undefined && resolution !== tierOf(size) ? [tier] : []),
  ]
}

/** The fields that the caller asked for a ratio with. */
function ratioFields({ spelling }: ImageRequest): readonly string[] {
  const spelt = (...names: readonly string[]) => names.flatMap(name => spelling.get(name) ?? [])
  const [ratio] = spelt('aspect_ratio', 'size')
  return ratio ? [ratio] : spelt('width', 'height')
}
