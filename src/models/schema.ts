/** The form of a catalogue entry as it is written, and its way to a `Model`. Strict: a misspelt key is a mistake. */
import { z } from 'zod'
import { type Pixels, parsePixels, parseRatio, type Tier, tiers } from '../images/geometry.ts'
import type { Alias, Model, Retired } from './model.ts'

// YAML reads an unquoted 512 as a number.
const tier = z.preprocess(value => (value === 512 ? '512' : value), z.enum(tiers))
const mediaType = z.enum(['image/png', 'image/jpeg', 'image/webp'])
const name = z
  .string()
  .min(1)
  .max(200)
  .regex(/^[^\s*]+$/, 'a name has no spaces and no *')
const id = name.regex(/^[\x21-\x7e]+$/, 'an id is plain ASCII, as it stands in headers: give it other names as aliases')
const ratio = z.string().refine(text => parseRatio(text) !== null, 'expected a ratio such as "16:9"')
const amount = z.number().nonnegative()
const count = z.number().int().positive()
const perTier = z.union([amount, z.partialRecord(z.enum(tiers), amount)], {
  error: `expected one number, or one for each tier (${tiers.join(', ')})`,
})

const size = z.string().transform((text, context): Pixels => {
  const pixels = parsePixels(text)
  if (pixels) return pixels
  context.addIssue({ code: 'custom', message: 'expected a size such as "1536x1024"' })
  return z.NEVER
})

const pixels = z.union(
  [
    z.strictObject({ sizes: z.array(size).min(1) }).transform(({ sizes }) => ({ kind: 'fixed' as const, sizes })),
    z
      .strictObject({
        multiple_of: count,
        max_ratio: z.number().min(1),
        max_side: count,
        min_pixels: count,
        max_pixels: count,
      })
      .transform(rules => ({
        kind: 'free' as const,
        multipleOf: rules.multiple_of,
        maxRatio: rules.max_ratio,
        maxSide: rules.max_side,
        minPixels: rules.min_pixels,
        maxPixels: rules.max_pixels,
      })),
  ],
  { error: 'expected { sizes: [1024x1024, …] }, or all of multiple_of, max_ratio, max_side, min_pixels, max_pixels' },
)

const prices = z
  .strictObject({
    text_in: amount.optional(),
    image_in: amount.optional(),
    text_out: amount.optional(),
    image_out: amount.optional(),
  })
  .transform(usd => ({
    textIn: usd.text_in,
    imageIn: usd.image_in,
    textOut: usd.text_out,
    imageOut: usd.image_out,
  }))

const alias = z.union(
  [name.transform(text => ({ name: text })), z.strictObject({ name, resolution: tier.optional() })],
  { error: 'expected a name without spaces and *, or { name: nano-banana-hd, resolution: 4K }' },
)

const aliases = z.array(alias).default([])

const bySize = (a: Tier, b: Tier) => tiers.indexOf(a) - tiers.indexOf(b)

const living = z
  .strictObject({
    id,
    name: z.string().min(1).optional(),
    state: z.literal('living').optional(),
    protocol: z.enum(['gemini', 'openai']),
    aliases,
    ratios: z.array(ratio).min(1).nullable().default(null),
    tiers: z
      .array(tier)
      .transform(list => list.toSorted(bySize))
      .nullable()
      .default(null),
    references: count.nullable().default(null),
    outputs: z.array(mediaType).default([]),
    search: z.boolean().default(false),
    thinking_levels: z.array(z.string()).default([]),
    tokens_per_image: perTier.nullable().default(null),
    usd_per_image: perTier.nullable().default(null),
    usd_per_image_at: z.record(z.string(), z.record(z.string(), amount)).nullable().default(null),
    usd_per_million_tokens: prices.nullable().default(null),
    usd_per_search: amount.nullable().default(null),
    pixels: pixels.nullable().default(null),
  })
  .superRefine((entry, context) => {
    entry.aliases.forEach((each, index) => {
      const wanted = 'resolution' in each ? each.resolution : undefined
      if (wanted === undefined || entry.tiers === null || entry.tiers.includes(wanted)) return
      const message = `${entry.id} has no ${wanted} (it has ${entry.tiers.join(', ') || 'one size'})`
      context.addIssue({ code: 'custom', path: ['aliases', index, 'resolution'], message })
    })
  })
  .transform(
    (entry): Living => ({
      aliases: entry.aliases,
      model: {
        id: entry.id,
        name: entry.name ?? entry.id,
        protocol: entry.protocol,
        ratios: entry.ratios,
        tiers: entry.tiers,
        references: entry.references,
        outputs: entry.outputs,
        search: entry.search,
        thinkingLevels: entry.thinking_levels,
        tokensPerImage: entry.tokens_per_image,
        usdPerImage: entry.usd_per_image,
        usdPerImageAt: entry.usd_per_image_at,
        usdPerMillionTokens: entry.usd_per_million_tokens,
        usdPerSearch: entry.usd_per_search,
        pixels: entry.pixels,
      },
    }),
  )

const retired = z
  .strictObject({
    id: z.string().min(1).max(200).regex(/^\S+$/, 'a name has no spaces'),
    state: z.literal('retired'),
    aliases,
    successors: z.array(name).min(1),
  })
  .transform(({ id, aliases, successors }): Gone => ({ aliases, retired: { id, successors } }))

interface Living {
  readonly model: Model
  readonly aliases: readonly Alias[]
}

interface Gone {
  readonly retired: Retired
  readonly aliases: readonly Alias[]
}

/** An entry of the list, read as what its `state` says; or its mistakes, each with its place within the entry. */
export type ReadEntry =
  | Living
  | Gone
  | { readonly mistakes: readonly { readonly path: readonly PropertyKey[]; readonly problem: string }[] }

export function readEntry(raw: Readonly<Record<string, unknown>>): ReadEntry {
  if (raw.state === 'retired') {
    const result = retired.safeParse(raw)
    return result.success ? result.data : { mistakes: mistakesOf(result.error) }
  }
  const result = living.safeParse(raw)
  return result.success ? result.data : { mistakes: mistakesOf(result.error) }
}

/** Each unknown key has a place of its own. */
function mistakesOf(error: z.ZodError) {
  return error.issues.flatMap(issue =>
    issue.code === 'unrecognized_keys'
      ? issue.keys.map(key => ({ path: [...issue.path, key], problem: 'unknown key' }))
      : [{ path: issue.path, problem: issue.message }],
  )
}
