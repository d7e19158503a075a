/** A city at the water, its windows lit. */
import { hex, lighter, mix } from './colour.ts'
import { lamp, sky, stars } from './nature.ts'
import { box, filled, type Scene, type Stage, stroked, svg } from './stage.ts'

export const city: Scene = stage => {
  const { width, height, random, palette } = stage
  const horizon = height * random.between(0.68, 0.8)
  let painted = sky(stage, horizon)
  if (palette.mood === 'night' || palette.mood === 'dusk') painted += stars(stage, horizon * 0.5)
  painted += lamp(
    stage,
    [width * random.between(0.15, 0.85), horizon * random.between(0.2, 0.6)],
    Math.min(width, height) * random.between(0.07, 0.13),
  )
  const rows = 4
  for (let index = 0; index < rows; index++) {
    const share = index / (rows - 1)
    const tint = mix(mix(palette.horizon, palette.far, 0.5), palette.near, share ** 0.8)
    painted += skyline(stage, horizon + height * 0.02 * index, height * (0.46 - 0.09 * index), tint, share)
  }
  const water = mix(palette.near, palette.skyTop, 0.35)
  const shore = horizon + height * 0.07
  painted += box(0, shore, width, height, hex(water))
  let light = ''
  for (let index = 0; index < width / 5; index++) {
    const [x, length] = [random.between(0, width), random.between(6, 46)]
    light += svg`M${x} ${random.between(shore + 3, height)}h${length}`
  }
  return painted + stroked(light, mix(palette.horizon, palette.accent, 0.5), 2, 0.45)
}

function skyline(
  { width, height, random, palette }: Stage,
  foot: number,
  rise: number,
  tint: ReturnType<typeof mix>,
  share: number,
): string {
  let [walls, lit, warm] = ['', '', '']
  for (let x = -20; x < width + 20; ) {
    const [breadth, tall] = [random.between(34, 96), rise * random.between(0.35, 1)]
    const top = foot - tall
    walls += svg`M${x} ${height}V${top}`
    const crown = random.integer(0, 4)
    if (crown === 0) walls += svg`L${x + breadth / 2} ${top - breadth * 0.45}`
    if (crown === 1) walls += svg`h${breadth * 0.46}v${-breadth * 0.9}h${breadth * 0.08}v${breadth * 0.9}`
    if (crown === 2) walls += svg`v${-14}h${breadth * 0.6}v14`
    if (crown === 3) walls += svg`a${breadth / 2} ${breadth / 3} 0 0 1 ${breadth} 0`
    walls += svg`L${x + breadth} ${top}V${height}Z`
    const [pitch, side] = [13, 6 + share * 2]
    for (let y = top + 12; y < foot + 90; y += pitch + 4) {
      for (let at = x + 7; at + side < x + breadth - 5; at += pitch) {
        if (!random.chance(palette.mood === 'day' ? 0.25 : 0.42)) continue
        const pane = svg`M${at} ${y}h${side}v${side * 1.4}h${-side}Z`
        if (random.chance(0.7)) lit += pane
        else warm += pane
      }
    }
    x += breadth + random.between(-4, 10)
  }
  const glowing = palette.mood === 'day' ? lighter(tint, 0.12) : palette.lamp
  return (
    filled(walls, hex(tint)) +
    filled(lit, hex(glowing), 0.35 + 0.5 * share) +
    filled(warm, hex(palette.accent), 0.4 + 0.5 * share)
  )
}
