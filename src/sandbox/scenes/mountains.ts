/** Ranges that lose themselves in the mist, and leaves near the eye. */
import { mix } from './colour.ts'
import { birds, clouds, cornerLeaves, lamp, sky, stars } from './nature.ts'
import { across, fade, filled, line, type Point, rolling, type Scene, type Stage, svg } from './stage.ts'

/** The fill of a layer that loses itself in mist towards its foot. */
function misty(stage: Stage, id: string, share: number): string {
  const { palette } = stage
  const body = mix(palette.far, palette.near, share ** 0.9)
  return fade(id, [
    { at: 0, colour: mix(palette.horizon, body, 0.35 + 0.65 * share) },
    { at: 1, colour: mix(palette.horizon, body, 0.15 + 0.85 * share ** 1.5) },
  ])
}

export const mountains: Scene = stage => {
  const { width, height, random, palette } = stage
  const horizon = height * random.between(0.5, 0.62)
  const ranges = random.integer(5, 7)
  const side = random.chance(0.5) ? 'left' : 'right'
  const lampAt: Point = [
    width * (side === 'left' ? random.between(0.5, 0.8) : random.between(0.2, 0.5)),
    horizon * random.between(0.25, 0.7),
  ]
  let painted = sky(stage, horizon)
  if (palette.mood === 'night') painted += stars(stage, horizon)
  painted += lamp(stage, lampAt, Math.min(width, height) * random.between(0.05, 0.1))
  painted += clouds(stage, palette.mood === 'night' ? 2 : 5, height * 0.08, horizon * 0.8)
  for (let index = 0; index < ranges; index++) {
    const share = index / (ranges - 1)
    const base = horizon - height * 0.1 + (height * 0.48 * index) / ranges
    const rise = height * (0.24 - 0.1 * share)
    const ridge = rolling(random, 1500 - 500 * share, 7)
    const points = across(width, 220, x => base - rise * (0.75 - Math.abs(ridge(x)) * 2.6))
    painted += `<defs>${misty(stage, `range${index}`, share)}</defs>`
    painted += filled(svg`${line(points)}V${height}H-40Z`, `url(#range${index})`)
  }
  painted += birds(stage, [width * random.between(0.3, 0.7), horizon * random.between(0.4, 0.7)], palette.near)
  return painted + cornerLeaves(stage, side, Math.min(width, height) * random.between(0.5, 0.75))
}
