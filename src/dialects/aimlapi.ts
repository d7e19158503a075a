/** AI/ML API: its document «Nano Banana 2 (Gemini 3.1 Flash Image)», with the lists of values from https://docs.aimlapi.com. */
import type { OpenAiDialect } from './openai-form.ts'

export const aimlapi: OpenAiDialect = {
  name: 'aimlapi',
  protocol: 'openai',
  ownForm: false,
  keyHeader: 'authorization',
  streams: false,
  nameOf: ({ id }) => (id === 'gemini-3.1-flash-image' ? 'google/nano-banana-2' : undefined),
  boundsOf: () => ({ ratios: ['1:1', '9:16', '16:9', '3:4', '4:3'], tiers: ['1K', '2K', '4K'], references: 5 }),
  pathOf: () => '/images/generations',
  mostPerCall: 1,
  references: { as: 'list', field: 'image_urls', text: 'data-url' },
  jsonEdits: false,
  pictureTypes: ['image/png', 'image/jpeg', 'image/webp', 'image/heic', 'image/heif'],
  fieldsOf: () => ['aspect_ratio', 'resolution', 'enable_web_search'],
}
