/** A wood of firs, under northern lights by night. */
import { colour, hex, mix } from './colour.ts'
import { lamp, sky, stars } from './nature.ts'
import { across, fade, filled, line, type Point, rolling, type Scene, type Stage, svg } from './stage.ts'

export const forest: Scene = stage => {
  const { width, height, random, palette } = stage
  const horizon = height * random.between(0.62, 0.74)
  let painted = sky(stage, horizon) + stars(stage, horizon * (palette.mood === 'night' ? 1 : 0.25))
  painted += lamp(
    stage,
    [width * random.between(0.2, 0.8), horizon * random.between(0.2, 0.55)],
    Math.min(width, height) * 0.075,
  )
  if (palette.mood === 'night') painted += aurora(stage, horizon)
  const hills = rolling(random, 700, 4)
  const far = across(width, 90, x => horizon - height * 0.12 - hills(x) * height * 0.1)
  painted += filled(svg`${line(far)}V${height}H-40Z`, hex(mix(palette.horizon, palette.far, 0.6)))
  const rows = 5
  for (let index = 0; index < rows; index++) {
    const share = index / (rows - 1)
    const ground = rolling(random, 500, 3)
    const y = (x: number) => horizon - height * 0.06 + (height * 0.36 * (index + 0.5)) / rows - ground(x) * 18
    const size = Math.min(width, height) * (0.1 + 0.34 * share ** 1.6)
    const tint = mix(mix(palette.horizon, palette.far, 0.75), mix(palette.near, palette.leaf, 0.2), share)
    let trees = ''
    for (let x = -size * 0.2; x < width + size * 0.2; x += size * random.between(0.16, 0.46)) {
      trees += pine([x, y(x) + size * 0.08], size * random.between(0.65, 1.25))
    }
    painted += filled(trees, hex(tint)) + filled(svg`${line(across(width, 40, y))}V${height}H-40Z`, hex(tint))
  }
  return painted
}

function pine([x, y]: Point, size: number): string {
  const tiers = 5
  let left = ''
  let right = ''
  for (let tier = 0; tier < tiers; tier++) {
    const reach = size * 0.06 * (tier + 1.4)
    const foot = y - size + (size * 0.86 * (tier + 1)) / tiers
    right += svg`L${x + reach} ${foot}L${x + reach * 0.4} ${foot - size * 0.025}`
    left = svg`L${x - reach * 0.4} ${foot - size * 0.025}L${x - reach} ${foot}${left}`
  }
  return svg`M${x} ${y - size}${right}L${x + size * 0.03} ${y}H${x - size * 0.03}${left}Z`
}

function aurora({ width, random, palette }: Stage, horizon: number): string {
  return [0, 1, 2]
    .map(index => {
      const tint = colour(0.8, 0.15, random.between(140, 190) + index * 45)
      const shape = rolling(random, 520, 3)
      const [y, depth] = [horizon * random.between(0.2, 0.45), horizon * random.between(0.3, 0.5)]
      const below = across(width, 40, x => y + depth * 0.4 + shape(x) * horizon * 0.16)
      const above = below.map(([x, foot]): Point => [x, foot - depth])
      const fill = fade(`aurora${index}`, [
        { at: 0, colour: tint, opacity: 0 },
        { at: 0.75, colour: tint, opacity: 0.32 },
        { at: 1, colour: mix(tint, palette.lamp, 0.3), opacity: 0 },
      ])
      return `<defs>${fill}</defs>${filled(`${line([...below, ...above.toReversed()])}Z`, `url(#aurora${index})`)}`
    })
    .join('')
}
