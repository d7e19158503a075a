/** A fine grain to lay over drawings: flat colour looks like plastic, and packs to a tenth of what photographs weigh. */
import { loadSharp } from './sharp.ts'

const side = 256
let made: Promise<Buffer> | undefined

/** A square of light and dark specks on nothing, as PNG, to be repeated. Always the same. */
export function grainTile(): Promise<Buffer> {
  made ??= makeTile()
  return made
}

async function makeTile(): Promise<Buffer> {
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
  return open(specks, { raw: { width: side, height: side, channels: 2 } })
    .toColourspace('b-w')
    .png()
    .toBuffer()
}

// Of 255: seen as texture at arm's length, not as noise.
const strongest = 38
