/** The colours of one picture: a time of day, and a hue that chance turns the whole of it by. */
import { type Colour, colour } from './colour.ts'
import type { Random } from './random.ts'

export const moods = ['dawn', 'day', 'dusk', 'night'] as const
export type Mood = (typeof moods)[number]

export interface Palette {
  readonly mood: Mood
  readonly skyTop: Colour
  readonly skyMiddle: Colour
  readonly horizon: Colour
  /** Sun or moon. */
  readonly lamp: Colour
  /** Things in the distance and right before the eye: what lies between is mixed. */
  readonly far: Colour
  readonly near: Colour
  /** A strong colour and its counterpart, for sails, fruits and tiles. */
  readonly accent: Colour
  readonly counter: Colour
  readonly leaf: Colour
  readonly paper: Colour
}

/** Skies go where skies go, give or take `turn`; ground, leaves and accents take their own hue from chance. */
export function createPalette(mood: Mood, random: Random): Palette {
  const turn = random.between(-28, 28)
  const accentHue = random.pick([random.between(15, 60), random.between(60, 110), random.between(330, 375)])
  const groundHue = random.pick([random.between(230, 285), random.between(130, 200), random.between(285, 345)])
  const bright = random.between(-0.05, 0.05)
  const common = {
    mood,
    accent: colour(0.68 + bright, 0.19, accentHue),
    counter: colour(0.45 + bright, 0.11, accentHue + random.between(150, 210)),
    leaf: colour(mood === 'night' ? 0.42 : 0.56 + bright, 0.13, random.between(125, 172)),
    paper: colour(0.95, 0.03, accentHue + 30),
  }
  switch (mood) {
    case 'dawn':
      return {
        ...common,
        skyTop: colour(0.66 + bright, 0.1, 275 + turn),
        skyMiddle: colour(0.82 + bright, 0.09, 345 + turn),
        horizon: colour(0.92, 0.09, 65 + turn),
        lamp: colour(0.98, 0.05, 85 + turn),
        far: colour(0.76, 0.07, groundHue),
        near: colour(0.33, 0.07, groundHue - 15),
      }
    case 'day':
      return {
        ...common,
        skyTop: colour(0.62 + bright, 0.13, 240 + turn),
        skyMiddle: colour(0.8 + bright, 0.09, 222 + turn),
        horizon: colour(0.95, 0.04, 200 + turn * 2),
        lamp: colour(0.99, 0.07, 98),
        far: colour(0.78, 0.08, groundHue - 20),
        near: colour(0.42, 0.1, groundHue - 50),
      }
    case 'dusk':
      return {
        ...common,
        skyTop: colour(0.36 + bright, 0.12, 290 + turn),
        skyMiddle: colour(0.6 + bright, 0.18, 15 + turn),
        horizon: colour(0.84, 0.15, 65 + turn),
        lamp: colour(0.95, 0.12, 85 + turn),
        far: colour(0.6, 0.13, groundHue + 40),
        near: colour(0.2, 0.06, groundHue),
      }
    case 'night':
      return {
        ...common,
        skyTop: colour(0.16 + bright / 2, 0.06, 275 + turn * 1.5),
        skyMiddle: colour(0.3 + bright, 0.1, 265 + turn * 1.5),
        horizon: colour(0.5 + bright, 0.11, 225 + turn * 2),
        lamp: colour(0.96, 0.03, 95),
        far: colour(0.42, 0.09, groundHue),
        near: colour(0.12, 0.035, groundHue),
      }
  }
}
