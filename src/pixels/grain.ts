/** A fine grain to lay over drawings: flat colour looks like plastic, and packs to a tenth of what photographs weigh. */
import type { Pixels } from '../images/geometry.ts'
import { loadSharp } from './sharp.ts'

const side = 256
let made: Promise<string> | undefined

/** SVG that lays the grain over a picture of this size. Always the same grain. As a pattern: setting it in afterwards costs twice as much. */
export async function grainOver({ width, height }: Pixels): Promise<string> {
  made ??= makeTile()
  const tile = `<image href="data:image/png;base64,${await made}" width="${side}" height="${side}"/>`
  const pattern = `<pattern id="grain" width="${side}" height="${side}" patternUnits="userSpaceOnUse">${tile}</pattern>`
  return `<defs>${pattern}</defs><rect width="${width}" height="${height}" fill="url(#grain)"/>`
}

/** A square of light and dark specks on nothing: PNG as base64. */
async function makeTile(): Promise<string> {
  const specks = Buffer.alloc(side * side * 2)
  let state = 0x9e3779b9
  // xorshift32 (Marsaglia)
  const next = () => {
    state ^= state << 13
    state ^= state >>> 17
    state ^= state << 5
    return (state >>> 0) / 2 ** 32
  }
  for (let at = 0; at < specks.length; at += 2) {
    const strength = next() + next() + next() - 1.5
    specks[at] = strength > 0 ? 255 : 0
    specks[at + 1] = Math.abs(strength) * strongest
  }
  const open = await loadSharp()
  const tile = open(specks, { raw: { width: side, height: side, channels: 2 } }).toColourspace('b-w')
  return (await tile.png().toBuffer()).toString('base64')
}

// Of 255: seen as texture at arm's length, not as noise.
const strongest = 38
