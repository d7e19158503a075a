/** Gemini on Vertex AI: https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/inference */
import { type GeminiDialect, specialWords } from './gemini.ts'

export interface VertexPlace {
  /** Absent: express mode, in which the key names the project. */
  readonly project?: string | undefined
  readonly location?: string | undefined
}

export function vertex({ project, location = 'global' }: VertexPlace): GeminiDialect {
  const parent = project === undefined ? '' : `/projects/${project}/locations/${location}`
  return {
    name: 'vertex',
    protocol: 'gemini',
    keyHeader: 'x-goog-api-key',
    streams: true,
    countsTokens: true,
    nameOf: ({ id, protocol }) => (protocol === 'gemini' ? id : undefined),
    boundsOf: id => (id === 'gemini-2.5-flash-image' ? { references: 3 } : {}),
    modelsPath: `/v1beta1${parent}/publishers/google/models`,
    readsFrom: ['gs://'],
    needsRole: true,
    needsFileType: true,
    specialWords,
  }
}
