/** A sea with boats, an island, and the road of light that a low sun lays on it. */
import { colour, hex, mix } from './colour.ts'
import { birds, clouds, lamp, sky, stars } from './nature.ts'
import {
  across,
  box,
  curve,
  fade,
  filled,
  line,
  type Point,
  rolling,
  type Scene,
  type Stage,
  stroked,
  svg,
} from './stage.ts'

export const sea: Scene = stage => {
  const { width, height, random, palette } = stage
  const horizon = height * random.between(0.42, 0.58)
  const x = width * random.between(0.25, 0.75)
  const radius = Math.min(width, height) * random.between(0.07, 0.13)
  const water = mix(palette.skyMiddle, colour(0.4, 0.1, 225), 0.45)
  let painted = sky(stage, horizon)
  if (palette.mood === 'night') painted += stars(stage, horizon)
  painted += lamp(stage, [x, horizon - radius * random.between(0.1, 2.2)], radius)
  painted += clouds(stage, 5, height * 0.06, horizon * 0.85)
  painted += island(stage, horizon)
  painted += `<defs>${fade('water', [
    { at: 0, colour: mix(palette.horizon, water, 0.35) },
    { at: 0.3, colour: water },
    { at: 1, colour: mix(water, palette.near, 0.65) },
  ])}</defs>${box(0, horizon, width, height - horizon, 'url(#water)')}`
  painted += glitter(stage, x, radius, horizon)
  for (let index = 0; index < 9; index++) {
    const share = index / 8
    const y = horizon + (height - horizon) * (0.06 + 0.94 * share ** 1.5)
    const wave = rolling(random, 160 + 240 * share, 3)
    const crest = across(width, 60, at => y + wave(at) * (3 + 20 * share))
    painted += filled(svg`${curve(crest)}V${height}H-40Z`, hex(mix(water, palette.near, share * 0.75)), 0.34)
    painted += stroked(curve(crest), mix(palette.horizon, palette.lamp, 0.4), 0.8 + 2 * share, 0.35)
  }
  const boats = random.integer(1, 3)
  for (let index = 0; index < boats; index++) {
    const size = (26 + 34 * index) * random.between(0.9, 1.3)
    painted += boat(
      stage,
      [width * random.between(0.1, 0.9), horizon + (height - horizon) * (0.08 + 0.2 * index)],
      size,
    )
  }
  return painted + birds(stage, [width * random.between(0.2, 0.8), horizon * 0.5], palette.near)
}

function island({ width, random, palette }: Stage, horizon: number): string {
  const shape = rolling(random, 300, 4)
  const [from, length] = [width * random.between(-0.1, 0.6), width * random.between(0.25, 0.5)]
  const points = Array.from({ length: 40 }, (_, index): Point => {
    const share = index / 39
    return [
      from + share * length,
      horizon + 2 - Math.sin(Math.PI * share) ** 0.8 * (38 + 34 * shape(from + share * length)),
    ]
  })
  return filled(`${line(points)}Z`, hex(mix(mix(palette.far, palette.skyMiddle, 0.4), palette.horizon, 0.25)))
}

/** The road of light that a low sun lays on water. */
function glitter({ height, random, palette }: Stage, x: number, radius: number, horizon: number): string {
  let path = ''
  for (let y = horizon + 4; y < height; y += random.between(5, 13)) {
    const reach = radius * (0.55 + ((y - horizon) / (height - horizon)) * 1.3) * random.between(0.35, 1)
    const middle = x + random.between(-0.35, 0.35) * radius
    path += svg`M${middle - reach} ${y}H${middle + reach}`
  }
  return stroked(path, palette.lamp, 4.2, 0.55)
}

function boat({ random, palette }: Stage, [x, y]: Point, size: number): string {
  const lean = random.between(-0.12, 0.12) * size
  const hull = svg`M${x - size * 0.55} ${y}Q${x} ${y + size * 0.34} ${x + size * 0.6} ${y}Z`
  const main = svg`M${x + lean} ${y - size * 1.5}Q${x + size * 0.75} ${y - size * 0.6} ${x + size * 0.5} ${y - size * 0.1}H${x}Z`
  const jib = svg`M${x + lean - size * 0.06} ${y - size * 1.35}Q${x - size * 0.2} ${y - size * 0.6} ${x - size * 0.5} ${y - size * 0.1}H${x - size * 0.06}Z`
  return filled(hull, hex(palette.near)) + filled(main, hex(palette.paper)) + filled(jib, hex(palette.accent))
}
