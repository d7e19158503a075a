/** Google's words for what its models should not paint: https://ai.google.dev/api/generate-content#v1beta.SafetySetting */

/** Vertex AI has more of them than the Developer API. */
export const harmCategoryStart = 'HARM_CATEGORY_'
export const harmThresholds = [
  'HARM_BLOCK_THRESHOLD_UNSPECIFIED',
  'BLOCK_LOW_AND_ABOVE',
  'BLOCK_MEDIUM_AND_ABOVE',
  'BLOCK_ONLY_HIGH',
  'BLOCK_NONE',
  'OFF',
] as const
