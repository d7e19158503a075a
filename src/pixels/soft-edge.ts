/** How much of the new picture shows at each pixel: none outside the area, all deep inside, and a soft edge between that lies inside. */
import type { Pixels } from '../images/geometry.ts'
import { loadSharp } from './sharp.ts'

// Of the side of a square of the picture's area: 3 pixels at 1K, 12 at 4K.
const softness = 1 / 340
const [leastSigma, mostSigma] = [0.5, 12]

/**
 * `inside`: one byte a pixel, 255 in the area and 0 outside. Gives one byte a pixel too: 0 outside the area.
 * Parts of the area that are thinner than the edge is wide would vanish in it: they get a hard one.
 */
export async function softEdge(inside: Buffer, size: Pixels): Promise<Buffer> {
  const open = await loadSharp()
  const raw = { raw: { ...size, channels: 1 as const } }
  const sigma = Math.max(leastSigma, Math.min(mostSigma, Math.sqrt(size.width * size.height) * softness))
  const grey = (from: Buffer) => open(from, raw)
  const blurred = await grey(inside).blur(sigma).toColourspace('b-w').raw().toBuffer()
  // Where nothing deep is near, by whatever its blur leaves there: 0 to 5 of 255 becomes 255, the rest 0.
  const far = await grey(blurred)
    .threshold(deep)
    .blur(2 * sigma)
    .linear(-255, 255 * 6)
    .toColourspace('b-w')
    .raw()
    .toBuffer()
  // A blurred straight border has half its height where it was: what is above becomes the whole range.
  const soft = await grey(blurred).linear(2, -255).boolean(far, 'or', raw).toColourspace('b-w').raw().toBuffer()
  return grey(soft).boolean(inside, 'and', raw).toColourspace('b-w').raw().toBuffer()
}

const deep = 192
