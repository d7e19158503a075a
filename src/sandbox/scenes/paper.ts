/** Sheets of cut paper, each throwing its shadow on the next. */
import { type Colour, hex, mix } from './colour.ts'
import { across, box, curve, disc, filled, type Point, rolling, type Scene, type Stage, svg } from './stage.ts'

export const paper: Scene = stage => {
  const { width, height, random, palette } = stage
  const sheets = random.integer(8, 12)
  const rounded = random.chance(0.5)
  const [shallow, middle, deep] = random.pick<readonly [Colour, Colour, Colour]>([
    [palette.horizon, palette.skyMiddle, palette.near],
    [palette.paper, palette.accent, palette.skyTop],
    [palette.paper, palette.leaf, palette.counter],
    [palette.accent, palette.counter, palette.near],
    [palette.horizon, palette.accent, palette.counter],
  ])
  const centre: Point = [width * random.between(0.3, 0.7), height * random.between(0.3, 0.7)]
  const turn = random.between(-60, 60)
  let painted = box(0, 0, width, height, hex(shallow))
  for (let index = 0; index < sheets; index++) {
    const share = (index + 1) / sheets
    const tint = hex(share < 0.5 ? mix(shallow, middle, share * 2) : mix(middle, deep, share * 2 - 1))
    const path = rounded
      ? blob(stage, centre, Math.hypot(width, height) * 0.56 * (1 - index / sheets) ** 1.15)
      : wave(stage, height * (-0.2 + 1.3 * (index / sheets)))
    const spin = rounded ? '' : svg` transform="rotate(${turn} ${width / 2} ${height / 2})"`
    const shadows = [22, 15, 9, 4].map(
      drop => `<g transform="translate(${-drop / 3} ${-drop})">${filled(path, '#000000', 0.06)}</g>`,
    )
    painted += `<g${spin}>${shadows.join('')}${filled(path, tint)}</g>`
  }
  const seal = Math.min(width, height) * 0.05
  return rounded ? painted + disc(centre, seal * 0.9, hex(palette.accent)) : painted
}

function blob({ random }: Stage, [x, y]: Point, radius: number): string {
  const shape = rolling(random, 2.2, 3)
  const points = Array.from({ length: 37 }, (_, index): Point => {
    const around = (index / 36) * 2 * Math.PI
    // Blended so that the ring closes where it began.
    const wobble = shape(Math.cos(around) * 0.8) * 0.6 + shape(2 + Math.sin(around) * 0.8) * 0.6
    const reach = radius * (1 + wobble * 0.3)
    return [x + Math.cos(around) * reach, y + Math.sin(around) * reach]
  })
  return `${curve(points)}Z`
}

function wave({ width, height, random }: Stage, y: number): string {
  const reach = Math.hypot(width, height)
  const shape = rolling(random, 560, 2)
  const crest = across(reach * 2, 50, x => y + shape(x) * reach * 0.075).map(([x, top]): Point => [x - reach / 2, top])
  return svg`${curve(crest)}V${reach * 2}H${-reach}Z`
}
