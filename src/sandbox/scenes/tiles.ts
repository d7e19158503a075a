/** A wall of geometric tiles. */
import { hex } from './colour.ts'
import { box, disc, filled, type Scene, svg } from './stage.ts'

export const tiles: Scene = stage => {
  const { width, height, random, palette } = stage
  const across = Math.max(3, Math.round(width / (Math.min(width, height) / random.integer(4, 6))))
  const size = width / across
  const down = Math.ceil(height / size)
  const tints = [
    palette.accent,
    palette.counter,
    palette.leaf,
    palette.skyTop,
    palette.skyMiddle,
    palette.horizon,
    palette.paper,
    palette.near,
  ] as const
  let painted = box(0, 0, width, height, hex(palette.paper))
  for (let row = 0; row < down; row++) {
    for (let column = 0; column < across; column++) {
      const ground = random.pick(tints)
      const others = tints.filter(tint => tint !== ground)
      const ink = others[random.integer(0, others.length - 1)] ?? palette.near
      const second = others[random.integer(0, others.length - 1)] ?? palette.paper
      painted += svg`<g transform="translate(${column * size} ${row * size}) rotate(${90 * random.integer(0, 3)} ${size / 2} ${size / 2})">`
      painted += `${box(-0.3, -0.3, size + 0.6, size + 0.6, hex(ground))}${random.pick(motifs)(size, hex(ink), hex(second))}</g>`
    }
  }
  return painted
}

type Motif = (size: number, ink: string, second: string) => string
const motifs: [Motif, ...Motif[]] = [
  (size, ink, second) =>
    filled(svg`M0 0H${size}A${size} ${size} 0 0 1 0 ${size}Z`, ink) +
    filled(svg`M0 0H${size / 2}A${size / 2} ${size / 2} 0 0 1 0 ${size / 2}Z`, second),
  (size, ink, second) => disc([size / 2, size / 2], size * 0.42, ink) + disc([size / 2, size / 2], size * 0.2, second),
  (size, ink, second) =>
    filled(svg`M0 ${size / 2}A${size / 2} ${size / 2} 0 0 1 ${size} ${size / 2}Z`, ink) +
    filled(svg`M0 ${size}A${size / 2} ${size / 2} 0 0 1 ${size} ${size}Z`, second),
  (size, ink) => [0, 2, 4].map(index => box(0, (index * size) / 6, size, size / 6, ink)).join(''),
  (size, ink, second) =>
    filled(svg`M0 0L${size} ${size}H0Z`, ink) + disc([size * 0.7, size * 0.3], size * 0.13, second),
  (size, ink, second) =>
    filled(
      svg`M${size / 2} ${size * 0.04}Q${size} ${size * 0.4} ${size / 2} ${size * 0.96}Q0 ${size * 0.4} ${size / 2} ${size * 0.04}Z`,
      ink,
    ) + svg`<path d="M${size / 2} ${size * 0.12}V${size}" stroke="${second}" stroke-width="${size * 0.035}"/>`,
  (size, ink, second) =>
    [0.25, 0.75]
      .flatMap(x => [0.25, 0.75].map(y => disc([size * x, size * y], size * 0.15, x === y ? ink : second)))
      .join(''),
]
