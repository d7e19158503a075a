/** Zenlayer's gateway in its Gemini form: its document «Image Generation (Gemini Native Protocol)». */
import type { GeminiDialect } from './gemini.ts'
import { zenlayerNames, zenlayerReferences } from './zenlayer-models.ts'

export const zenlayerGemini: GeminiDialect = {
  name: 'zenlayer',
  protocol: 'gemini',
  keyHeader: 'authorization',
  streams: false,
  nameOf: ({ id }) => zenlayerNames.get(id),
  boundsOf: id => {
    const references = zenlayerReferences.get(id)
    return {
      ratios: ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9', '21:9'],
      tiers: ['1K', '2K', '4K'],
      ...(references !== undefined && { references }),
    }
  },
  modelsPath: '/v1/v1beta/models',
  readsFrom: [],
  needsRole: true,
  needsFileType: false,
  specialWords: [],
}
