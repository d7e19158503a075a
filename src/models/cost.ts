/** What calls cost by the catalogue's figures: guessed before, told by the upstream's own count after. Money in micro-USD. */
import { parsePixels, type Tier } from '../images/geometry.ts'
import type { Usage } from '../images/result.ts'
import type { Model, PerTier, TokenPrices } from './model.ts'

export interface PicturesWanted {
  /** Absent: the model's own choice, which is about 1K. */
  readonly resolution?: string | undefined
  /** In pixels (`1536x1024`), for models that are priced so. */
  readonly size?: string
  readonly quality?: string
  readonly count: number
}

/** What a request asks for, as far as it costs. */
export interface CallWanted extends PicturesWanted {
  readonly promptChars: number
  /** Pictures that come with it. */
  readonly references: number
  readonly search: boolean
}

/** USD for the pictures alone, without what is read; null where the catalogue has no price for them. */
export function picturesUsd(model: Model, wanted: PicturesWanted): number | null {
  const each = pictureUsd(model, wanted)
  return each === null ? null : Math.round(each * wanted.count * 1e6) / 1e6
}

// A token of English is some four characters. Gemini counts a reference as 258, 560 or 1120 tokens, by model and resolution.
const charsPerToken = 4
const tokensPerReference = 1120
/** What a picture takes where nothing is known: that of the Gemini family at 1K. */
const usualTokensPerImage = 1290

/** Before the call, rather too much than too little: what is reserved of a limit in tokens. At least 1. */
export function estimateTokens(model: Model | null, wanted: CallWanted): number {
  const each = perTier(model?.tokensPerImage ?? null, wanted.resolution) ?? usualTokensPerImage
  return Math.max(1, inputTokens(wanted) + Math.ceil(each * wanted.count))
}

/** Before the call; null where the catalogue has no price for the pictures. */
export function estimateMicroUsd(model: Model, wanted: CallWanted): number | null {
  const prices = model.usdPerMillionTokens
  const each = pictureUsd(model, wanted)
  if (each === null) return null
  const { promptChars, references } = wanted
  const read =
    Math.ceil(promptChars / charsPerToken) * (prices?.textIn ?? 0) +
    references * tokensPerReference * (prices?.imageIn ?? prices?.textIn ?? 0)
  return roundedUp(each * wanted.count * 1e6 + read + searchMicroUsd(model, wanted))
}

/** To the next whole one, unless all that is above is what binary fractions leave behind: 3 × 0.101 × 1e6 is 303000 and a trace. */
const roundedUp = (microUsd: number) => Math.ceil(Math.round(microUsd * 1e3) / 1e3)

/**
 * After the call: by the tokens that the upstream counted, where it said of what they were and each has a price; else by
 * the price of a picture, for the pictures that came. Null where the catalogue has neither.
 */
export function actualMicroUsd(model: Model, usage: Usage | undefined, came: CallWanted): number | null {
  const { usdPerMillionTokens: prices } = model
  const byTokens = usage && prices ? tokensMicroUsd(prices, usage) : null
  return byTokens === null ? estimateMicroUsd(model, came) : Math.round(byTokens + searchMicroUsd(model, came))
}

/** Of a call that gave no picture: what it put out was words and thoughts. Null where the tokens have no price. */
export function wordsMicroUsd({ usdPerMillionTokens: prices }: Model, usage: Usage): number | null {
  const outputDetails = usage.outputDetails ?? { textTokens: usage.outputTokens, imageTokens: 0 }
  const cost = prices ? tokensMicroUsd(prices, { ...usage, outputDetails }) : null
  return cost === null ? null : Math.round(cost)
}

/** A price in USD for a million tokens is one in micro-USD for each. */
function tokensMicroUsd(prices: TokenPrices, { inputTokens, outputTokens, inputDetails, outputDetails }: Usage) {
  if (!outputDetails) return null
  const imagesIn = inputDetails?.imageTokens ?? 0
  const { imageTokens: imagesOut } = outputDetails
  // What is no picture is text, thoughts included.
  const counts = [
    [inputTokens - imagesIn, prices.textIn],
    [imagesIn, prices.imageIn ?? prices.textIn],
    [outputTokens - imagesOut, prices.textOut],
    [imagesOut, prices.imageOut],
  ] as const
  if (counts.some(([tokens, price]) => tokens > 0 && price === undefined)) return null
  return counts.reduce((sum, [tokens, price]) => sum + Math.max(0, tokens) * (price ?? 0), 0)
}

const inputTokens = ({ promptChars, references }: CallWanted) =>
  Math.ceil(promptChars / charsPerToken) + references * tokensPerReference

const searchMicroUsd = ({ usdPerSearch }: Model, { search }: CallWanted) => (search ? (usdPerSearch ?? 0) * 1e6 : 0)

function pictureUsd(model: Model, { resolution, size, quality }: PicturesWanted): number | null {
  const { usdPerImage, usdPerImageAt, tokensPerImage, usdPerMillionTokens } = model
  const price = perTier(usdPerImage, resolution)
  if (price !== null) return price
  if (usdPerImageAt) return priceAt(usdPerImageAt, size ?? squareOf(resolution, model), quality)
  const tokens = perTier(tokensPerImage, resolution)
  const each = usdPerMillionTokens?.imageOut
  return tokens === null || each === undefined ? null : (tokens * each) / 1e6
}

/** Of a size that has no price the nearest that has one, by area; of a quality the caller left open the dearest. */
function priceAt(prices: NonNullable<Model['usdPerImageAt']>, size: string, quality = 'high'): number | null {
  // A caller may write anything there, `constructor` too.
  const ofQuality = (Object.hasOwn(prices, quality) ? prices[quality] : prices.high) ?? {}
  if (ofQuality[size] !== undefined) return ofQuality[size]
  const wanted = areaOf(size)
  const distance = (area: number) => Math.abs(Math.log(wanted / area))
  const priced = Object.entries(ofQuality).map(([text, price]) => ({ area: areaOf(text), price }))
  const [nearest] = priced.toSorted((a, b) => distance(a.area) - distance(b.area))
  if (!nearest) return null
  // Above the largest that is priced, by its area.
  return wanted > nearest.area ? (nearest.price * wanted) / nearest.area : nearest.price
}

const sides: Readonly<Record<Tier, number>> = { '512': 512, '1K': 1024, '2K': 2048, '4K': 4096 }

/** What a tier means in pixels, as far as the model goes. */
function squareOf(resolution: string | undefined, { pixels }: Model): string {
  const most = pixels?.kind === 'free' ? Math.floor(Math.sqrt(pixels.maxPixels)) : Number.POSITIVE_INFINITY
  const side = Math.min(sides[resolution as Tier] ?? sides['1K'], most)
  return `${side}x${side}`
}

function areaOf(size: string): number {
  const pixels = parsePixels(size)
  return pixels ? pixels.width * pixels.height : 0
}

function perTier(figures: PerTier | null, resolution = '1K'): number | null {
  if (figures === null || typeof figures === 'number') return figures
  return figures[resolution as Tier] ?? null
}
