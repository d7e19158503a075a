/** A thicket of plantain leaves round a fruit. */
import { hex, lighter, mix } from './colour.ts'
import { plantainLeaf } from './nature.ts'
import { box, disc, glow, type Point, type Scene, type Stage } from './stage.ts'

export const leaves: Scene = stage => {
  const { width, height, random, palette } = stage
  const ground =
    palette.mood === 'night' ? lighter(palette.skyTop, -0.02) : mix(palette.horizon, palette.skyMiddle, 0.4)
  let painted = `<defs>${glow('ground', [
    { at: 0, colour: lighter(ground, 0.08) },
    { at: 1, colour: lighter(ground, -0.1) },
  ])}</defs>${box(0, 0, width, height, 'url(#ground)')}`
  const short = Math.min(width, height)
  painted += disc(
    [width * random.between(0.3, 0.7), height * random.between(0.3, 0.6)],
    short * 0.27,
    hex(palette.accent),
  )
  const count = Math.round((width + height) / 72)
  for (let index = 0; index < count; index++) {
    const [from, inwards] = edgePoint(stage, random.next())
    const length = short * random.between(0.36, 0.58)
    const tint = random.pick([
      palette.leaf,
      palette.leaf,
      mix(palette.leaf, palette.counter, 0.55),
      mix(palette.leaf, palette.accent, 0.3),
    ])
    painted += plantainLeaf(random, {
      from,
      length,
      breadth: length * random.between(0.28, 0.4),
      angle: inwards + random.between(-38, 38),
      bend: random.between(-55, 55),
      colour: mix(lighter(tint, random.between(-0.06, 0.06)), palette.near, 0.45 * (1 - index / count)),
    })
  }
  return painted
}

/** A point a little outside the edge, `share` of the way round it, and the direction from there into the picture in degrees. */
function edgePoint({ width, height }: Stage, share: number): readonly [Point, number] {
  const out = 45
  const along = share * 2 * (width + height)
  if (along < width) return [[along, -out], 90]
  if (along < width + height) return [[width + out, along - width], 180]
  if (along < 2 * width + height) return [[along - width - height, height + out], -90]
  return [[-out, along - 2 * width - height], 0]
}
