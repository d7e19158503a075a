/** Opens pictures that strangers sent: are they whole, and how large are they? */
import type { Sharp } from 'sharp'
import type { Pixels } from '../images/geometry.ts'
import { loadSharp } from './sharp.ts'

// Above any camera, below what a small file of one colour could make us unfold.
const maxPixels = 100_000_000

/** A picture to be read with its turn set right; what is broken in it is an error, not a grey half. */
export async function openPicture(bytes: Uint8Array): Promise<Sharp> {
  const open = await loadSharp()
  return open(bytes, { failOn: 'error', limitInputPixels: maxPixels }).autoOrient()
}

/** Decodes the whole picture and throws the pixels away. Null: it is broken, too large, or of a kind that sharp does not read. */
export async function lookAt(bytes: Uint8Array): Promise<Pixels | null> {
  try {
    const { autoOrient } = await (await openPicture(bytes)).metadata()
    await (await openPicture(bytes)).resize(8, 8, { fit: 'fill' }).raw().toBuffer()
    return { width: autoOrient.width, height: autoOrient.height }
  } catch {
    return null
  }
}
