/** OpenAI's own images API: https://platform.openai.com/docs/api-reference/images */
import { asInTheCatalogue } from './dialect.ts'
import type { ImageOperation, OpenAiDialect, WireField } from './openai-form.ts'

const painting: readonly WireField[] = [
  'n',
  'size',
  'quality',
  'background',
  'output_format',
  'output_compression',
  'user',
  'safety_identifier',
  'complexity',
]

/** What GPT image models are asked by generation and by edit; `moderation` is not among the fields of an edit's form. */
export const gptImageFields = (operation: ImageOperation): readonly WireField[] =>
  operation === 'generate' ? [...painting, 'moderation'] : [...painting, 'input_fidelity']

// They answer in base64 and refuse to be asked for it. Whatever else stands at this address may answer with a link unasked.
const answersInBase64 = /^(?:gpt-image|chatgpt-image)/

export const openai: OpenAiDialect = {
  name: 'openai',
  protocol: 'openai',
  ownForm: true,
  keyHeader: 'authorization',
  streams: true,
  nameOf: ({ id, protocol }) => (protocol === 'openai' ? id : undefined),
  boundsOf: asInTheCatalogue,
  pathOf: (_model, operation) => (operation === 'generate' ? '/images/generations' : '/images/edits'),
  mostPerCall: 10,
  // Edits are also taken as JSON with data URLs. Sending it costs the same CPU (no decoding, but a third more bytes, which
  // TLS would encrypt too), a form is what every SDK of OpenAI's sends, and it takes pictures of 50 MB rather than 15.
  references: { as: 'form', single: 'image[]', several: 'image[]', mask: true },
  jsonEdits: true,
  pictureTypes: ['image/png', 'image/jpeg', 'image/webp'],
  fieldsOf: (model, operation) => [
    ...gptImageFields(operation),
    ...(answersInBase64.test(model) ? [] : (['response_format'] as const)),
  ],
}
