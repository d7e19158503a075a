/** Zenlayer's gateway in its OpenAI form: its documents «Image Generation (OpenAI Protocol)» and «Nano Banana», which is its edits. */
import type { Bounds } from './dialect.ts'
import type { OpenAiDialect } from './openai-form.ts'
import { commonRatios } from './ratios.ts'
import { zenlayerNames, zenlayerReferences } from './zenlayer-models.ts'

export const zenlayerOpenAi: OpenAiDialect = {
  name: 'zenlayer',
  protocol: 'openai',
  ownForm: false,
  keyHeader: 'authorization',
  streams: false,
  nameOf: ({ id }) => zenlayerNames.get(id),
  boundsOf: id => bounds.get(id) ?? shape,
  pathOf: (_model, operation) => (operation === 'generate' ? '/images/generations' : '/images/edits'),
  mostPerCall: 1,
  references: { as: 'form', single: 'image', several: 'image[]', mask: false },
  jsonEdits: false,
  pictureTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'],
  fieldsOf: (_model, operation) =>
    operation === 'generate' ? ['aspect_ratio', 'image_size'] : ['aspect_ratio', 'image_size', 'media_resolution'],
}

const shape: Bounds = { ratios: commonRatios, tiers: ['1K', '2K', '4K'], search: false }
// The document of edits lists two of the three models: pictures for the third go by the Gemini form.
const bounds = new Map<string, Bounds>(
  [...zenlayerNames.keys()].map(id => [id, { ...shape, references: zenlayerReferences.get(id) ?? 0 }]),
)
