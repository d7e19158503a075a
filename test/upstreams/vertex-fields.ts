/** Vertex AI's generateContent, field by field: the Developer API's, with what only Vertex AI has and without what it has not. */
import { generateContentRequest } from '../../src/sandbox/fields.ts'

const { contents, systemInstruction, tools, toolConfig, safetySettings, generationConfig, cachedContent, labels } =
  generateContentRequest.fields
const setting = safetySettings.list.fields

export const vertexRequest = {
  message: 'GenerateContentRequest',
  fields: {
    contents,
    systemInstruction,
    tools,
    toolConfig,
    safetySettings: {
      list: {
        message: 'SafetySetting',
        fields: {
          ...setting,
          category: {
            enum: 'HarmCategory',
            names: [
              ...setting.category.names,
              'HARM_CATEGORY_IMAGE_HATE',
              'HARM_CATEGORY_IMAGE_DANGEROUS_CONTENT',
              'HARM_CATEGORY_IMAGE_HARASSMENT',
              'HARM_CATEGORY_IMAGE_SEXUALLY_EXPLICIT',
              'HARM_CATEGORY_JAILBREAK',
            ],
          },
        },
      },
    },
    generationConfig: {
      message: 'GenerationConfig',
      fields: {
        ...generationConfig.fields,
        imageConfig: {
          message: 'ImageConfig',
          fields: {
            ...generationConfig.fields.imageConfig.fields,
            personGeneration: {
              enum: 'ImageConfig.PersonGeneration',
              names: ['PERSON_GENERATION_UNSPECIFIED', 'ALLOW_ALL', 'ALLOW_ADULT', 'ALLOW_NONE'],
            },
            prominentPeople: {
              enum: 'ImageConfig.ProminentPeople',
              names: ['PROMINENT_PEOPLE_UNSPECIFIED', 'ALLOW_PROMINENT_PEOPLE', 'BLOCK_PROMINENT_PEOPLE'],
            },
            imageOutputOptions: {
              message: 'ImageConfig.ImageOutputOptions',
              fields: { mimeType: 'string', compressionQuality: 'int32' },
            },
          },
        },
      },
    },
    cachedContent,
    labels,
  },
} as const
