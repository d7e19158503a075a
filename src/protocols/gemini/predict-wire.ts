/** What callers send in Imagen's form. */
import { z } from 'zod'
import { atMostOneOf, list, message, Name, oneOf, Real, Switch, Whole, Words } from './proto-schema.ts'

const Picture = message('Image', {
  bytesBase64Encoded: Words,
  gcsUri: Words,
  mimeType: Name,
}).superRefine(atMostOneOf(['bytesBase64Encoded', 'gcsUri']))

// https://cloud.google.com/vertex-ai/generative-ai/docs/model-reference/imagen-api
export const PredictRequest = message('PredictRequest', {
  instances: list(
    message('Instance', {
      prompt: Words,
      image: Picture,
      referenceImages: list(
        message('ReferenceImage', { referenceType: Name, referenceId: Whole, referenceImage: Picture }),
      ),
      mask: z.unknown(),
    }),
  ),
  parameters: message('Parameters', {
    sampleCount: Whole,
    aspectRatio: Name,
    sampleImageSize: Name,
    imageSize: Name,
    outputOptions: message('OutputOptions', {
      mimeType: Name,
      compressionQuality: Whole,
    }),
    seed: Whole,
    negativePrompt: Words,
    personGeneration: oneOf('PersonGeneration', ['ALLOW_ALL', 'ALLOW_ADULT', 'DONT_ALLOW']),
    safetySetting: Name,
    safetyFilterLevel: Name,
    addWatermark: Switch,
    enhancePrompt: Switch,
    includeRaiReason: Switch,
    includeSafetyAttributes: Switch,
    language: Name,
    storageUri: Name,
    guidanceScale: Real,
  }),
})

export type PredictRequest = z.infer<typeof PredictRequest>
export type WirePicture = z.infer<typeof Picture>
