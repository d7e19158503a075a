/** The gateways with the models nano-banana, nano-banana-2 and nano-banana-hd: their «Nano-Banana API Reference». */
import type { Bounds } from './dialect.ts'
import type { OpenAiDialect } from './openai-form.ts'
import { commonRatios } from './ratios.ts'

export const nanoBanana: OpenAiDialect = {
  name: 'nano-banana',
  protocol: 'openai',
  ownForm: false,
  keyHeader: 'authorization',
  streams: false,
  nameOf({ id }, resolution) {
    switch (id) {
      case 'gemini-2.5-flash-image':
        return 'nano-banana'
      case 'gemini-3.1-flash-image':
        return 'nano-banana-2'
      case 'gemini-3-pro-image':
        // Sold at 4K only: what is asked for at another tier, it does not have.
        return (resolution ?? '4K') === '4K' ? 'nano-banana-hd' : undefined
      default:
        return undefined
    }
  },
  boundsOf: id => (id === 'gemini-3-pro-image' ? { ...bounds, tiers: ['4K'] } : bounds),
  pathOf: () => '/images/generations',
  mostPerCall: 1,
  // Its edits take a single picture.
  references: { as: 'list', field: 'image', text: 'base64' },
  jsonEdits: false,
  pictureTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'],
  fieldsOf: model => ['aspect_ratio', 'response_format', ...(ofOneSize.has(model) ? [] : (['image_size'] as const))],
}

// Its documents give only nano-banana-2 the field. What else its operator says there is may have it: the vendor decides.
const ofOneSize: ReadonlySet<string> = new Set(['nano-banana', 'nano-banana-hd'])

const bounds: Bounds = { ratios: commonRatios, tiers: ['1K', '2K', '4K'], search: false }
