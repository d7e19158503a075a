/** What a scene is painted on: a field of about a thousand units square (wider or higher by the ratio), and brushes that write SVG. */
import { type Colour, hex } from './colour.ts'
import type { Palette } from './palette.ts'
import type { Random } from './random.ts'

export interface Stage {
  readonly width: number
  readonly height: number
  readonly random: Random
  readonly palette: Palette
}

/** Paints all over the stage, in SVG elements. No filters and no group opacity: librsvg pays a whole picture for each. */
export type Scene = (stage: Stage) => string

export type Point = readonly [x: number, y: number]

/** Writes SVG: numbers are cut to two digits, which is finer than any pixel of ours and keeps the text short. */
export const svg = (text: TemplateStringsArray, ...values: readonly (number | string)[]): string =>
  String.raw({ raw: text }, ...values.map(value => (typeof value === 'number' ? Math.round(value * 100) / 100 : value)))

/** Straight from point to point. */
export const line = (points: readonly Point[]): string =>
  points.map(([x, y], index) => svg`${index === 0 ? 'M' : 'L'}${x} ${y}`).join('')

/** A curve through all points, without corners (Catmull-Rom as Bézier). */
export function curve(points: readonly Point[]): string {
  const at = (index: number): Point => points[Math.min(points.length - 1, Math.max(0, index))] ?? [0, 0]
  let path = svg`M${at(0)[0]} ${at(0)[1]}`
  for (let index = 0; index < points.length - 1; index++) {
    const [before, from, to, after] = [at(index - 1), at(index), at(index + 1), at(index + 2)]
    path += svg`C${from[0] + (to[0] - before[0]) / 6} ${from[1] + (to[1] - before[1]) / 6} ${to[0] - (after[0] - from[0]) / 6} ${to[1] - (after[1] - from[1]) / 6} ${to[0]} ${to[1]}`
  }
  return path
}

export const filled = (path: string, fill: string, opacity = 1): string =>
  svg`<path d="${path}" fill="${fill}" fill-opacity="${opacity}"/>`

export const stroked = (path: string, colour: Colour, width: number, opacity = 1): string =>
  svg`<path d="${path}" fill="none" stroke="${hex(colour)}" stroke-width="${width}" stroke-opacity="${opacity}" stroke-linecap="round"/>`

export const disc = ([x, y]: Point, radius: number, fill: string, opacity = 1): string =>
  svg`<circle cx="${x}" cy="${y}" r="${radius}" fill="${fill}" fill-opacity="${opacity}"/>`

export const box = (x: number, y: number, width: number, height: number, fill: string, opacity = 1): string =>
  svg`<rect x="${x}" y="${y}" width="${width}" height="${height}" fill="${fill}" fill-opacity="${opacity}"/>`

export interface Stop {
  readonly at: number
  readonly colour: Colour
  readonly opacity?: number
}

const stopsOf = (stops: readonly Stop[]) =>
  stops
    .map(
      ({ at, colour, opacity = 1 }) =>
        svg`<stop offset="${at}" stop-color="${hex(colour)}" stop-opacity="${opacity}"/>`,
    )
    .join('')

/** A gradient from above to below the thing it fills. `id` is unique in the picture; use it as `url(#id)`. */
export const fade = (id: string, stops: readonly Stop[]): string =>
  `<linearGradient id="${id}" x1="0" y1="0" x2="0" y2="1">${stopsOf(stops)}</linearGradient>`

/** A gradient from the middle of the thing outwards. `id` as of `fade`. */
export const glow = (id: string, stops: readonly Stop[]): string =>
  `<radialGradient id="${id}">${stopsOf(stops)}</radialGradient>`

/** A line of hills from left to right: hills of `wavelength` units and, on them, ever smaller ones. −1 … 1 at most. */
export function rolling(random: Random, wavelength: number, octaves: number): (x: number) => number {
  const waves = Array.from({ length: octaves }, (_, octave) => ({
    length: wavelength / (2 ** octave * random.between(0.85, 1.2)),
    shift: random.between(0, 1000),
    weight: 0.55 ** octave,
  }))
  const total = waves.reduce((sum, wave) => sum + wave.weight, 0)
  const height = (x: number) =>
    waves.reduce((sum, { length, shift, weight }) => {
      const turns = (x / length + shift) * 2 * Math.PI
      return sum + weight * (Math.sin(turns) * 0.6 + Math.sin(turns * 0.618 + shift) * 0.4)
    }, 0)
  return x => height(x) / total
}

/** Points of a line over the whole width, a step beyond both edges. */
export function across(width: number, steps: number, y: (x: number) => number): Point[] {
  return Array.from({ length: steps + 3 }, (_, index): Point => {
    const x = ((index - 1) * width) / steps
    return [x, y(x)]
  })
}
