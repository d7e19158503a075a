/** Colours by how bright, how strong and which hue they look (OKLCH), because mixing those gives skies, and mixing RGB gives mud. */

export interface Colour {
  /** 0 black – 1 white */
  readonly light: number
  /** 0 grey – about 0.3 as strong as a screen can show */
  readonly chroma: number
  /** Degrees: 30 red, 90 yellow, 145 green, 230 blue, 300 violet. */
  readonly hue: number
}

export const colour = (light: number, chroma: number, hue: number): Colour => ({ light, chroma, hue })

/** The colour at `share` of the way from one to the other, the short way round the wheel. */
export function mix(from: Colour, to: Colour, share: number): Colour {
  const turn = ((((to.hue - from.hue) % 360) + 540) % 360) - 180
  return {
    light: from.light + (to.light - from.light) * share,
    chroma: from.chroma + (to.chroma - from.chroma) * share,
    hue: from.hue + turn * share,
  }
}

export const lighter = (base: Colour, by: number): Colour => ({ ...base, light: base.light + by })

/** `#rrggbb`, the nearest that a screen can show. Matrices: Björn Ottosson, "A perceptual color space for image processing". */
export function hex({ light, chroma, hue }: Colour): string {
  const radians = (hue * Math.PI) / 180
  const [a, b] = [chroma * Math.cos(radians), chroma * Math.sin(radians)]
  const l = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
  const m = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
  const s = (light - 0.0894841775 * a - 1.291485548 * b) ** 3
  return `#${channel(4.0767416621 * l - 3.3077115913 * m + 0.2309699292 * s)}${channel(
    -1.2684380046 * l + 2.6097574011 * m - 0.3413193965 * s,
  )}${channel(-0.0041960863 * l - 0.7034186147 * m + 1.707614701 * s)}`
}

/** One channel of linear light as two hex digits of sRGB (IEC 61966-2-1). */
function channel(linear: number): string {
  const shown = linear <= 0.0031308 ? 12.92 * linear : 1.055 * linear ** (1 / 2.4) - 0.055
  return Math.round(Math.min(1, Math.max(0, shown)) * 255)
    .toString(16)
    .padStart(2, '0')
}
