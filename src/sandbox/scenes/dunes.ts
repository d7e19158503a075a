/** A desert. */
import { type Colour, colour, hex, lighter, mix } from './colour.ts'
import { clouds, lamp, sky, stars } from './nature.ts'
import { filled, type Point, type Scene, type Stage, stroked, svg } from './stage.ts'

export const dunes: Scene = stage => {
  const { width, height, random, palette } = stage
  const horizon = height * random.between(0.36, 0.5)
  const sand = colour(
    palette.mood === 'night' ? 0.45 : 0.78,
    palette.mood === 'night' ? 0.05 : 0.1,
    random.between(45, 85),
  )
  let painted = sky(stage, horizon)
  if (palette.mood === 'night') painted += stars(stage, horizon)
  const lampRadius = Math.min(width, height) * random.between(0.06, 0.14)
  painted += lamp(stage, [width * random.between(0.2, 0.8), horizon * random.between(0.3, 0.75)], lampRadius)
  painted += clouds(stage, 3, height * 0.05, horizon * 0.7)
  const rows = 5
  for (let index = 0; index < rows; index++) {
    const share = index / (rows - 1)
    const lit = mix(mix(palette.horizon, sand, 0.4), sand, share)
    const foot = horizon + (height - horizon) * (0.1 + 0.8 * share ** 1.2)
    const span = 210 + 420 * share
    for (let x = -span * random.between(0, 0.7); x < width + span * 0.5; x += span * random.between(0.55, 1)) {
      painted += dune(stage, [x, foot - (30 + 120 * share) * random.between(0.5, 1.1)], span, foot, lit)
    }
  }
  for (let index = random.integer(1, 4); index > 0; index--) {
    const share = random.between(0.35, 0.95)
    painted += cactus(
      stage,
      [width * random.between(0.05, 0.95), horizon + (height - horizon) * share],
      60 + 170 * share,
    )
  }
  return painted
}

/** One dune: a back in the light, a lee side in the shade, and between them a crest that winds down to the foot. */
function dune({ height, random, palette }: Stage, [x, y]: Point, span: number, foot: number, lit: Colour): string {
  const rise = foot - y
  const [left, right] = [x - span * random.between(0.7, 1), x + span * random.between(0.55, 0.9)]
  const sway = random.between(0.1, 0.3) * span
  const leeSlope = svg`C${x + span * 0.2} ${y + rise * 0.3} ${right - span * 0.25} ${foot} ${right} ${foot}`
  const back = svg`M${left} ${foot}C${left + span * 0.4} ${foot} ${x - span * 0.25} ${y + rise * 0.1} ${x} ${y}`
  const crest = svg`M${x} ${y}C${x + sway} ${y + rise * 0.4} ${x - sway * 1.4} ${y + rise * 0.75} ${x - sway * 0.2} ${foot + rise * 0.5}`
  const lee = svg`${crest}L${right} ${foot}C${right - span * 0.25} ${foot} ${x + span * 0.2} ${y + rise * 0.3} ${x} ${y}Z`
  const wind = Array.from({ length: 7 }, (_, index) => {
    const dip = ((index + 1) * rise) / 6
    return svg`M${left + span * 0.1} ${foot + dip}Q${x - span * 0.4} ${y + rise * 0.55 + dip} ${x - sway * 0.6} ${y + rise * 0.35 + dip * 1.1}`
  })
  return (
    filled(svg`${back}${leeSlope}V${height}H${left}Z`, hex(lit)) +
    filled(lee, hex(mix(lit, palette.near, 0.38))) +
    stroked(wind.join(''), mix(lit, palette.near, 0.25), 1.3, 0.5)
  )
}

function cactus({ random, palette }: Stage, [x, y]: Point, size: number): string {
  const [left, right] = [random.between(0.35, 0.65), random.between(0.4, 0.7)]
  const arms =
    svg`M${x} ${y}V${y - size}` +
    svg`M${x} ${y - size * left * 0.7}h${-size * 0.22}q${-size * 0.05} 0 ${-size * 0.05} ${-size * 0.08}v${-size * 0.22}` +
    svg`M${x} ${y - size * right * 0.8}h${size * 0.2}q${size * 0.05} 0 ${size * 0.05} ${-size * 0.08}v${-size * 0.28}`
  const skin = mix(palette.leaf, palette.near, 0.45)
  return stroked(arms, skin, size * 0.13) + stroked(arms, lighter(skin, 0.09), size * 0.035)
}
