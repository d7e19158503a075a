/** A thicket of plantain leaves round a fruit. */
import { hex, lighter, mix } from './colour.ts'
import { plantainLeaf } from './nature.ts'
import { box, disc, glow, type Point, type Scene } from './stage.ts'

export const leaves: Scene = stage => {
  const { width, height, random, palette } = stage
  const ground =
    palette.mood === 'night' ? lighter(palette.skyTop, -0.02) : mix(palette.horizon, palette.skyMiddle, 0.4)
  let painted = `<defs>${glow('ground', [
    { at: 0, colour: lighter(ground, 0.08) },
    { at: 1, colour: lighter(ground, -0.1) },
  ])}</defs>${box(0, 0, width, height, 'url(#ground)')}`
  const spread = Math.hypot(width, height)
  painted += disc(
    [width * random.between(0.3, 0.7), height * random.between(0.3, 0.6)],
    Math.min(width, height) * 0.27,
    hex(palette.accent),
  )
  const count = Math.round(16 + (width * height) / 90_000)
  for (let index = 0; index < count; index++) {
    const share = index / count
    const around = random.between(0, 2 * Math.PI)
    const from: Point = [width / 2 + Math.cos(around) * spread * 0.62, height / 2 + Math.sin(around) * spread * 0.62]
    const tint = random.pick([
      palette.leaf,
      palette.leaf,
      mix(palette.leaf, palette.counter, 0.55),
      mix(palette.leaf, palette.accent, 0.3),
    ])
    const length = Math.min(width, height) * random.between(0.5, 0.8)
    painted += plantainLeaf(random, {
      from,
      length: length + spread * 0.12,
      breadth: length * random.between(0.24, 0.36),
      angle: (around * 180) / Math.PI + 180 + random.between(-38, 38),
      bend: random.between(-55, 55),
      colour: mix(lighter(tint, random.between(-0.06, 0.06)), palette.near, 0.45 * (1 - share)),
    })
  }
  return painted
}
