/** OpenAI's living image models and what each lets be asked, as its documents have it. */
import type { Rules } from './fields.ts'

export interface OpenAIModel {
  /** Null: any size within the bounds of `sizeProblem`. */
  readonly sizes: readonly string[] | null
  readonly qualities: readonly string[]
  /** Takes `markup`. */
  readonly markup: boolean
}

const usual = ['low', 'medium', 'high', 'auto']
const fixed: OpenAIModel = {
  sizes: ['1024x1024', '1536x1024', '1024x1536', 'auto'],
  qualities: usual,
  markup: false,
}
const free: OpenAIModel = { sizes: null, qualities: usual, markup: false }
// `xhigh` and `max` are documented for 2.5 alone; of 2.6 nobody says it has them, so here it has not.
const free25: OpenAIModel = { sizes: null, qualities: [...usual, 'xhigh', 'max'], markup: true }

export const openaiModels: ReadonlyMap<string, OpenAIModel> = new Map([
  ['gpt-image-1-mini', fixed],
  ['gpt-image-1.5', fixed],
  ['chatgpt-image-latest', fixed],
  ['gpt-image-2', free],
  ['gpt-image-2-2026-04-21', free],
  ['gpt-image-2.5-sunburst', free25],
  ['gpt-image-2.5-sunburst-2026-09-08', free25],
  ['gpt-image-2.5-flare', free25],
  ['gpt-image-2.5-flare-2026-09-08', free25],
  ['gpt-image-2.6-sunburst', free],
  ['gpt-image-2.6-flare', free],
])

/** What is wrong with `WxH`; null: nothing. */
export function sizeProblem({ sizes }: OpenAIModel, size: string): string | null {
  if (sizes) {
    const supported = sizes.map(known => `'${known}'`).join(', ')
    return sizes.includes(size) ? null : `Invalid value: '${size}'. Supported values are: ${supported}.`
  }
  if (size === 'auto') return null
  const [, width, height] = /^([1-9]\d{0,4})x([1-9]\d{0,4})$/.exec(size)?.map(Number) ?? []
  const invalid = `Invalid size '${size}'.`
  if (width === undefined || height === undefined) return `${invalid} Expected 'auto' or WIDTHxHEIGHT.`
  if (width % 16 !== 0 || height % 16 !== 0) return `${invalid} Width and height must both be divisible by 16.`
  const [long, short] = [Math.max(width, height), Math.min(width, height)]
  if (long > short * 3) return `${invalid} The aspect ratio must be between 1:3 and 3:1.`
  if (long > 3840) return `${invalid} No edge may be longer than 3840 pixels.`
  const pixels = width * height
  if (pixels > 3840 * 2160) return `${invalid} At most 8294400 pixels are supported.`
  return pixels < 655_360 ? `${invalid} At least 655360 pixels are required.` : null
}

export type Form = 'generation' | 'form edit' | 'JSON edit'

/** `response_format`, `style` and the rest of DALL·E's fields are unknown to GPT image models; so are gif's and svg's, of which the fake paints none. */
export function rulesOf({ qualities }: OpenAIModel, form: Form): Rules {
  const shared: Rules = {
    model: { is: 'text', required: true },
    prompt: { is: 'text', required: true, most: 32_000 },
    n: { is: 'whole', from: 1, to: 10 },
    size: { is: 'text' },
    quality: { is: 'choice', of: qualities },
    background: { is: 'choice', of: ['transparent', 'opaque', 'auto'] },
    output_format: { is: 'choice', of: ['png', 'jpeg', 'webp'] },
    output_compression: { is: 'whole', from: 0, to: 100 },
    partial_images: { is: 'whole', from: 0, to: 3 },
    stream: { is: 'switch' },
    user: { is: 'text' },
    safety_identifier: { is: 'text' },
  }
  const complexity: Rules = { complexity: { is: 'choice', of: ['low', 'medium', 'high'] } }
  const moderation: Rules = { moderation: { is: 'choice', of: ['low', 'auto'] } }
  const fidelity: Rules = { input_fidelity: { is: 'choice', of: ['high', 'low'] } }
  switch (form) {
    case 'generation':
      return { ...shared, ...complexity, ...moderation }
    case 'form edit':
      return { ...shared, ...complexity, ...fidelity }
    case 'JSON edit':
      return {
        ...shared,
        ...moderation,
        ...fidelity,
        images: { is: 'list', required: true },
        mask: { is: 'object' },
      }
  }
}
