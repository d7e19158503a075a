/** Opens pictures that strangers sent: are they whole, and how large are they? */
import type { Metadata, Sharp } from 'sharp'
import type { Pixels } from '../images/geometry.ts'
import { loadSharp } from './sharp.ts'

// Above any camera, below what a small file of one colour could make us unfold.
const maxPixels = 100_000_000
/** Of a picture that is worked on here: above what any model paints, and what most cameras take. */
export const mostPicturePixels = 50_000_000

/** A picture to be read with its turn set right; what is broken in it is an error, not a grey half. */
export async function openPicture(bytes: Uint8Array, limitInputPixels = maxPixels): Promise<Sharp> {
  const open = await loadSharp()
  return open(bytes, { failOn: 'error', limitInputPixels }).autoOrient()
}

/** Decodes the whole picture and throws the pixels away. Null: it is broken, too large, or of a kind that sharp does not read. */
export async function lookAt(bytes: Uint8Array): Promise<Pixels | null> {
  try {
    const { autoOrient } = await readWhole(bytes)
    return { width: autoOrient.width, height: autoOrient.height }
  } catch {
    return null
  }
}

/** What a picture's headers say, once all of it was decoded. Throws what sharp throws where it is broken or too large. */
export async function readWhole(bytes: Uint8Array, limitInputPixels = maxPixels): Promise<Metadata> {
  const metadata = await (await openPicture(bytes, limitInputPixels)).metadata()
  await (await openPicture(bytes, limitInputPixels)).resize(8, 8, { fit: 'fill' }).raw().toBuffer()
  return metadata
}

/**
 * Can the file's colour profile stay with pixels that are written as red, green and blue? Those of grey and of printing
 * inks can't: their pictures are brought to sRGB.
 */
export const hasRgbProfile = ({ space }: Metadata): boolean => space === 'srgb' || space === 'rgb16'
