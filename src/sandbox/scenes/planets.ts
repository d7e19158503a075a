/** A ringed planet and its moons. */
import { colour, hex, lighter, mix } from './colour.ts'
import { stars } from './nature.ts'
import { across, box, curve, disc, fade, filled, glow, type Point, type Scene, type Stage, svg } from './stage.ts'

export const planets: Scene = stage => {
  const { width, height, random, palette } = stage
  const deep = colour(0.14, 0.05, palette.skyTop.hue + random.between(-90, 90))
  const short = Math.min(width, height)
  let painted = `<defs>${fade('space', [
    { at: 0, colour: deep },
    { at: 1, colour: mix(deep, palette.skyMiddle, 0.6) },
  ])}</defs>${box(0, 0, width, height, 'url(#space)')}`
  for (const index of [0, 1, 2, 3]) {
    const cloud = random.pick([palette.accent, palette.skyMiddle, palette.counter, palette.leaf])
    painted += `<defs>${glow(`nebula${index}`, [
      { at: 0, colour: cloud, opacity: 0.5 },
      { at: 1, colour: cloud, opacity: 0 },
    ])}</defs>${disc([random.between(0, width), random.between(0, height)], short * random.between(0.3, 0.6), `url(#nebula${index})`)}`
  }
  painted += stars(stage, height)
  const centre: Point = [width * random.between(0.35, 0.65), height * random.between(0.38, 0.62)]
  for (let ring = 0; ring < 4; ring++) {
    painted += svg`<ellipse cx="${centre[0]}" cy="${centre[1]}" rx="${short * (0.52 + ring * 0.17)}" ry="${short * (0.2 + ring * 0.075)}" fill="none" stroke="${hex(palette.paper)}" stroke-opacity="0.16" stroke-width="1.4" transform="rotate(-16 ${centre[0]} ${centre[1]})"/>`
  }
  painted += globe(stage, 'large', centre, short * random.between(0.22, 0.3), true)
  for (let index = random.integer(2, 4); index > 0; index--) {
    const around = random.between(0, 2 * Math.PI)
    const away = short * random.between(0.42, 0.6)
    const at: Point = [
      centre[0] + Math.cos(around) * away * (width / short),
      centre[1] + Math.sin(around) * away * 0.62,
    ]
    painted += globe(stage, `moon${index}`, at, short * random.between(0.025, 0.075), false)
  }
  return painted
}

function globe({ random, palette }: Stage, id: string, [x, y]: Point, radius: number, ringed: boolean): string {
  const tint = random.pick([palette.accent, palette.skyMiddle, palette.leaf, palette.horizon])
  const bands = Array.from({ length: 9 }, (_, index) => {
    const top = y - radius + (index * 2 * radius) / 9
    const crest = across(radius * 2, 10, at => top + Math.sin(at / 20 + index * 2) * radius * 0.03)
    const path = svg`${curve(crest.map(([at, height]): Point => [x - radius + at, height]))}V${top + (radius * random.between(0.8, 2)) / 9}H${x - radius}Z`
    return filled(path, hex(lighter(tint, random.between(-0.14, 0.14))))
  }).join('')
  const shade = `<radialGradient id="${id}Shade" cx="0.32" cy="0.3" r="0.8"><stop offset="0.25" stop-color="#000" stop-opacity="0"/><stop offset="1" stop-color="#000" stop-opacity="0.82"/></radialGradient>`
  const clip = svg`<clipPath id="${id}Clip"><circle cx="${x}" cy="${y}" r="${radius}"/></clipPath>`
  const ring = (half: 0 | 1) =>
    [1.45, 1.62, 1.84]
      .map(
        (reach, index) =>
          svg`<path d="M${x - radius * reach} ${y}A${radius * reach} ${radius * reach * 0.27} 0 0 ${half} ${x + radius * reach} ${y}" fill="none" stroke="${hex(lighter(palette.paper, -0.1 * index))}" stroke-width="${radius * (0.13 - index * 0.03)}" stroke-opacity="0.75" transform="rotate(-16 ${x} ${y})"/>`,
      )
      .join('')
  const ball = `<defs>${shade}${clip}</defs><g clip-path="url(#${id}Clip)">${box(x - radius, y - radius, radius * 2, radius * 2, hex(tint))}${bands}</g>${disc([x, y], radius + 0.5, `url(#${id}Shade)`)}`
  return ringed ? ring(1) + ball + ring(0) : ball
}
