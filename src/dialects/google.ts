/** Google's own Gemini API: https://ai.google.dev/api/generate-content */
import { asInTheCatalogue } from './dialect.ts'
import type { GeminiDialect } from './gemini.ts'

export const google: GeminiDialect = {
  name: 'google',
  protocol: 'gemini',
  keyHeader: 'x-goog-api-key',
  streams: true,
  countsTokens: true,
  nameOf: ({ id, protocol }) => (protocol === 'gemini' ? id : undefined),
  boundsOf: asInTheCatalogue,
  modelsPath: '/v1beta/models',
  // https://ai.google.dev/gemini-api/docs/files; public addresses it fetches itself, but tells nobody which it could not read.
  readsFrom: ['https://generativelanguage.googleapis.com/'],
  needsRole: false,
  needsFileType: false,
  specialWords: [],
}
