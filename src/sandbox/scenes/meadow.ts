/** Rolling fields with a house and flowers. */
import { hex, lighter, mix } from './colour.ts'
import { clouds, lamp, sky, stars } from './nature.ts'
import { across, box, curve, disc, filled, type Point, rolling, type Scene, type Stage, svg } from './stage.ts'

export const meadow: Scene = stage => {
  const { width, height, random, palette } = stage
  const horizon = height * random.between(0.4, 0.52)
  let painted = sky(stage, horizon)
  if (palette.mood === 'night') painted += stars(stage, horizon)
  painted += lamp(
    stage,
    [width * random.between(0.15, 0.85), horizon * random.between(0.25, 0.6)],
    Math.min(width, height) * 0.07,
  )
  painted += clouds(stage, 7, height * 0.06, horizon * 0.75)
  const grass = mix(palette.leaf, palette.near, 0.15)
  const rows = 6
  for (let index = 0; index < rows; index++) {
    const share = index / (rows - 1)
    const shape = rolling(random, 620, 2)
    const y = (x: number) => horizon + (height - horizon) * share * 0.78 - shape(x) * (24 + 50 * share)
    const tint = mix(mix(palette.horizon, grass, 0.5), lighter(grass, -0.12), share)
    painted += filled(svg`${curve(across(width, 24, y))}V${height}H-60Z`, hex(tint))
    painted += furrows(stage, y, hex(lighter(tint, index % 2 === 0 ? 0.05 : -0.05)), height)
    if (index === 2) painted += house(stage, width * random.between(0.2, 0.8), y)
    painted += flowers(stage, y, share)
  }
  return painted
}

function furrows({ width, random }: Stage, y: (x: number) => number, stroke: string, height: number): string {
  const meet = width * random.between(-0.2, 1.2)
  let path = ''
  for (let index = 0; index < 26; index++) {
    const x = (width * index) / 25
    path += svg`M${x} ${y(x)}Q${x + (x - meet) * 0.2} ${y(x) + 90} ${x + (x - meet) * 0.7} ${height}`
  }
  return `<path d="${path}" fill="none" stroke="${stroke}" stroke-width="7" stroke-opacity="0.5"/>`
}

function flowers({ width, random, palette }: Stage, y: (x: number) => number, share: number): string {
  const size = 1.6 + 9 * share ** 2
  const count = Math.round((width / 1000) * (70 - 40 * share))
  return Array.from({ length: count }, () => {
    const x = random.between(0, width)
    const at: Point = [x, y(x) + random.between(8, 70 + 60 * share)]
    const tint = random.pick([palette.accent, palette.paper, palette.counter, lighter(palette.accent, 0.12)])
    return (
      disc(at, size * random.between(0.6, 1.1), hex(tint)) + disc(at, size * 0.3, hex(lighter(palette.accent, -0.2)))
    )
  }).join('')
}

function house({ palette }: Stage, x: number, y: (x: number) => number): string {
  const foot = y(x) + 8
  const roof = svg`M${x - 46} ${foot - 46}L${x} ${foot - 86}L${x + 46} ${foot - 46}Z`
  return (
    box(x - 36, foot - 48, 72, 48, hex(palette.paper)) +
    filled(roof, hex(palette.accent)) +
    box(x - 8, foot - 28, 16, 28, hex(palette.near)) +
    box(x + 16, foot - 36, 12, 12, hex(palette.counter)) +
    box(x - 28, foot - 36, 12, 12, hex(palette.counter))
  )
}
