/** Makes a picture file of a drawing: SVG, pictures set into it, grain, and the encoding. */
import type { OverlayOptions } from 'sharp'
import type { Pixels } from '../images/geometry.ts'
import { grainOver } from './grain.ts'
import { openPicture } from './look.ts'
import { loadSharp } from './sharp.ts'

/** A rectangle of the picture, in its pixels. */
export interface Rectangle extends Pixels {
  readonly left: number
  readonly top: number
}

export interface Inlay {
  /** An encoded picture; cropped where its ratio is not the rectangle's. */
  readonly picture: Uint8Array
  readonly at: Rectangle
}

export interface Composition {
  readonly size: Pixels
  /** SVG elements, in pixels. */
  readonly drawing: string
  readonly inlays: readonly Inlay[]
  readonly mediaType: 'image/png' | 'image/jpeg'
  /** A study instead of the finished thing: blurred and pale. */
  readonly rough: boolean
}

/** The finished file. Throws what sharp throws where an inlay cannot be read. */
export async function compose({ size, drawing, inlays, mediaType, rough }: Composition): Promise<Buffer> {
  const { width, height } = size
  const all = `${drawing}${await grainOver(size)}`
  const svg = `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}">${all}</svg>`
  const open = await loadSharp()
  const drawn = open(Buffer.from(svg))
  const painted = rough ? drawn.modulate({ saturation: 0.4 }).blur(2) : drawn
  const finished = (inlays.length > 0 ? painted.composite(await layersOf(inlays)) : painted).removeAlpha()
  // Level 1: the grain does not pack better at 9, only ten times as long.
  const encoded = mediaType === 'image/png' ? finished.png({ compressionLevel: 1 }) : finished.jpeg({ quality: 94 })
  return await encoded.toBuffer()
}

async function layersOf(inlays: readonly Inlay[]): Promise<OverlayOptions[]> {
  const layers: OverlayOptions[] = []
  // One after the other: side by side they would hold every reference unfolded at once.
  for (const { picture, at } of inlays) {
    const fitted = (await openPicture(picture)).resize(at.width, at.height, { fit: 'cover' }).toColourspace('srgb')
    const { data, info } = await fitted.raw().toBuffer({ resolveWithObject: true })
    const raw = { width: info.width, height: info.height, channels: info.channels }
    layers.push({ input: data, raw, left: at.left, top: at.top })
  }
  return layers
}
