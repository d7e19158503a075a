/** What many scenes share: sky, sun or moon, stars, clouds, birds, and the leaf that the house is named after. */
import { type Colour, colour, hex, lighter, mix } from './colour.ts'
import type { Random } from './random.ts'
import { box, curve, disc, fade, filled, glow, line, type Point, type Stage, stroked, svg } from './stage.ts'

/** The whole stage as sky, its brightest line at `horizon` (units from above). */
export function sky({ width, height, palette }: Stage, horizon: number): string {
  const share = horizon / height
  const stops = fade('sky', [
    { at: 0, colour: palette.skyTop },
    { at: share * 0.55, colour: palette.skyMiddle },
    { at: share, colour: palette.horizon },
    { at: 1, colour: mix(palette.horizon, palette.skyMiddle, 0.5) },
  ])
  return `<defs>${stops}</defs>${box(0, 0, width, height, 'url(#sky)')}`
}

/** Sun or moon with its halo. */
export function lamp({ palette }: Stage, centre: Point, radius: number): string {
  const halo = glow('halo', [
    { at: 0, colour: palette.lamp, opacity: 0.75 },
    { at: 0.25, colour: palette.lamp, opacity: 0.35 },
    { at: 1, colour: palette.lamp, opacity: 0 },
  ])
  const moonlit = palette.mood === 'night'
  const craters = moonlit
    ? [
        [-0.3, -0.2, 0.22],
        [0.25, 0.3, 0.3],
        [0.35, -0.35, 0.14],
        [-0.25, 0.45, 0.12],
      ].map(([x = 0, y = 0, size = 0]) =>
        disc([centre[0] + x * radius, centre[1] + y * radius], size * radius, hex(lighter(palette.lamp, -0.08)), 0.7),
      )
    : []
  return `<defs>${halo}</defs>${disc(centre, radius * 5, 'url(#halo)')}${disc(centre, radius, hex(palette.lamp))}${craters.join('')}`
}

export function stars({ width, random, palette }: Stage, below: number): string {
  const count = Math.round((width * below) / 3500)
  return Array.from({ length: count }, () => {
    const size = random.chance(0.08) ? random.between(2, 3.2) : random.between(0.5, 1.6)
    return disc([random.between(0, width), random.between(0, below)], size, hex(palette.lamp), random.between(0.4, 1))
  }).join('')
}

/** Banks of cloud, flat below and round above. */
export function clouds({ width, random, palette }: Stage, count: number, from: number, to: number): string {
  const tint = mix(palette.horizon, palette.lamp, 0.5)
  return Array.from({ length: count }, () => {
    const [length, x, y] = [random.between(90, 300), random.between(-100, width), random.between(from, to)]
    const heads = random.integer(3, 6)
    let path = svg`M${x} ${y}a7 7 0 0 1 0 -14h${length}a7 7 0 0 1 0 14Z`
    for (let head = 1; head <= heads; head++) {
      const share = head / (heads + 1)
      const radius = (0.35 + Math.sin(Math.PI * share)) * length * random.between(0.1, 0.17)
      path += svg`M${x + share * length - radius} ${y}a${radius} ${radius * 0.9} 0 0 1 ${radius * 2} 0Z`
    }
    return filled(path, hex(tint), random.between(0.35, 0.8))
  }).join('')
}

/** A handful of birds far away. */
export function birds({ random }: Stage, centre: Point, colour: Colour): string {
  const flock = Array.from({ length: random.integer(3, 8) }, () => {
    const [x, y, wing] = [
      centre[0] + random.between(-110, 110),
      centre[1] + random.between(-45, 45),
      random.between(6, 14),
    ]
    return svg`M${x - wing} ${y - wing * 0.35}Q${x - wing * 0.4} ${y - wing * 0.6} ${x} ${y}Q${x + wing * 0.4} ${y - wing * 0.6} ${x + wing} ${y - wing * 0.35}`
  })
  return stroked(flock.join(''), colour, 2.4, 0.8)
}

export interface Leaf {
  readonly from: Point
  readonly length: number
  readonly breadth: number
  /** Degrees; 0 points right, −90 up. */
  readonly angle: number
  /** Degrees that the tip hangs over. */
  readonly bend: number
  readonly colour: Colour
}

/** A plantain's leaf: a broad blade with a pale rib, fine veins, and the rents that wind tears into it. */
export function plantainLeaf(random: Random, leaf: Leaf): string {
  const steps = 44
  const rib: Point[] = [leaf.from]
  const normals: Point[] = []
  for (let step = 0; step <= steps; step++) {
    const heading = ((leaf.angle + leaf.bend * (step / steps) ** 1.4) * Math.PI) / 180
    const [x, y] = rib[step] ?? leaf.from
    rib.push([x + (Math.cos(heading) * leaf.length) / steps, y + (Math.sin(heading) * leaf.length) / steps])
    normals.push([-Math.sin(heading), Math.cos(heading)])
  }
  const edge = (side: 1 | -1): Point[] => {
    const torn = new Set(Array.from({ length: random.integer(3, 7) }, () => random.integer(8, steps - 5)))
    return normals.flatMap(([x, y], step) => {
      const reach = Math.sin(Math.PI * (step / steps) ** 0.72) ** 0.7 * leaf.breadth * 0.5
      const [ribX, ribY] = rib[step] ?? leaf.from
      const [nextX, nextY] = rib[step + 1] ?? leaf.from
      const outer: Point = [ribX + side * x * reach, ribY + side * y * reach]
      if (!torn.has(step)) return [outer]
      const inner: Point = [(ribX + nextX) / 2 + side * x * reach * 0.4, (ribY + nextY) / 2 + side * y * reach * 0.4]
      return [outer, inner]
    })
  }
  const blade = rib.slice(0, steps + 1)
  const sides = ([1, -1] as const).map(side => {
    const outline = edge(side)
    // A vein runs from the rib outwards and forwards.
    const veins = normals.slice(4, steps - 3).map(([x, y], index) => {
      const reach = Math.sin(Math.PI * ((index + 5) / steps) ** 0.72) ** 0.7 * leaf.breadth * 0.46
      const [ribX, ribY] = rib[index + 5] ?? leaf.from
      return line([rib[index + 3] ?? leaf.from, [ribX + side * x * reach, ribY + side * y * reach]])
    })
    const shade = lighter(leaf.colour, side === 1 ? 0.045 : -0.045)
    return (
      filled(`${line([...blade, ...outline.toReversed()])}Z`, hex(shade)) +
      stroked(veins.join(''), lighter(leaf.colour, 0.1), leaf.breadth / 160, 0.5)
    )
  })
  const ribColour = mix(lighter(leaf.colour, 0.22), colour(0.9, 0.1, 110), 0.35)
  return sides.join('') + stroked(curve(blade.filter((_, step) => step % 4 === 0)), ribColour, leaf.breadth / 34)
}

/** Leaves that reach into the picture from a lower corner: something near, so that the rest is far. */
export function cornerLeaves({ width, height, random, palette }: Stage, side: 'left' | 'right', size: number): string {
  const base = mix(palette.leaf, palette.near, 0.35)
  const [x, sign] = side === 'left' ? [-20, 1] : [width + 20, -1]
  return Array.from({ length: random.integer(3, 5) }, (_, index) => {
    const rise = random.between(18, 80)
    return plantainLeaf(random, {
      from: [x, height + 30 - index * 12],
      length: size * random.between(0.75, 1.15),
      breadth: size * random.between(0.2, 0.28),
      angle: sign === 1 ? -rise : 180 + rise,
      bend: sign * random.between(25, 60),
      colour: lighter(base, random.between(-0.06, 0.06)),
    })
  }).join('')
}
