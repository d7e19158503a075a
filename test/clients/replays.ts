/**
 * What programs of other people send, as documents: read off their sources in November 2026. Each row is one request, what that
 * program reads in the answer, and what Google is to be asked for.
 */
import type { Answer } from '../helpers/callers.ts'
import type { FormPart } from '../helpers/forms.ts'
import { textParts } from '../helpers/forms.ts'

export interface Replay {
  /** The program, and what it is doing. */
  readonly client: string
  readonly path: string
  readonly headers?: Readonly<Record<string, string>>
  /** A list of parts is a form. */
  readonly body: object | readonly FormPart[]
  /** The pictures that the program finds in the answer, in base64. */
  readonly reads: (answer: Answer) => readonly string[] | Promise<readonly string[]>
  readonly asks: Asked
}

/** What Google is asked for. */
export interface Asked {
  readonly model: string
  readonly size?: string
  readonly references?: number
  /** 1 unless told otherwise. */
  readonly calls?: number
  /** The program gets another file than Google made: one of this type. */
  readonly madeInto?: 'png'
}

interface Candidate {
  readonly content: { readonly parts: readonly { readonly inlineData?: { readonly data: string } }[] }
}

// As their programs do, these throw where something on the way to the picture is missing.
const inData = ({ json }: Answer) => json.data.map(({ b64_json }: { b64_json: string }) => b64_json)
/** The pictures behind the answer's addresses. */
const fetched = ({ json }: Answer) =>
  Promise.all(
    json.data.map(async ({ url }: { url: string }) =>
      Buffer.from(await (await fetch(url)).arrayBuffer()).toString('base64'),
    ),
  )
const inPredictions = ({ json }: Answer) =>
  json.predictions.map(({ bytesBase64Encoded }: { bytesBase64Encoded: string }) => bytesBase64Encoded)
const inCandidates = ({ json }: Answer) =>
  json.candidates.flatMap(({ content }: Candidate) =>
    content.parts.flatMap(({ inlineData }) => (inlineData ? [inlineData.data] : [])),
  )

/** The one key that the gateway takes. */
export const key = 'the-callers-key'
const bearer = { authorization: `Bearer ${key}` }
const googleKey = { 'x-goog-api-key': key }
const prompt = 'A red kite over a green valley'
const generations = '/v1/images/generations'
const edits = '/v1/images/edits'

const flash31 = 'gemini-3.1-flash-image'
const flash25 = 'gemini-2.5-flash-image'

export interface Files {
  readonly png: Buffer
  readonly jpeg: Buffer
  readonly mask: Buffer
}

export const replays = ({ png, jpeg, mask }: Files): readonly Replay[] => {
  const pngPart = (name: string): FormPart => ({ name, value: png, fileName: 'image.png', type: 'image/png' })
  const jpegPart = (name: string): FormPart => ({ name, value: jpeg, fileName: 'photo.jpg', type: 'image/jpeg' })
  const inline = (data: Buffer, mime_type: string) => ({ inline_data: { mime_type, data: data.toString('base64') } })

  return [
    {
      client: 'Open WebUI, OpenAI engine with its defaults',
      path: generations,
      headers: bearer,
      body: { model: 'nano-banana-2', prompt, n: 1, size: '512x512', response_format: 'b64_json' },
      reads: inData,
      asks: { model: flash31, size: '512x512' },
    },
    {
      client: 'Open WebUI, with an API version, more parameters, and who its user is',
      path: `${generations}?api-version=2025-04-01-preview`,
      headers: {
        ...bearer,
        'x-openwebui-user-name': 'Zo%C3%AB',
        'x-openwebui-user-id': '7f3c',
        'x-openwebui-user-email': 'zoe@example.org',
        'x-openwebui-user-role': 'user',
      },
      body: { model: 'nano-banana', prompt, n: 2, size: '512x512', response_format: 'b64_json', quality: 'hd' },
      reads: inData,
      asks: { model: flash25, size: '1024x1024', calls: 2 },
    },
    {
      client: 'Open WebUI, editing a picture',
      path: edits,
      headers: bearer,
      body: [
        ...textParts({ model: 'nano-banana-2', prompt, n: '1', size: '512x512', response_format: 'b64_json' }),
        pngPart('image'),
      ],
      reads: inData,
      asks: { model: flash31, size: '512x512', references: 1 },
    },
    {
      client: 'Open WebUI, editing several pictures',
      path: edits,
      headers: bearer,
      body: [
        ...textParts({ model: 'nano-banana-2', prompt, n: '1', background: 'opaque', response_format: 'b64_json' }),
        pngPart('image[]'),
        jpegPart('image[]'),
      ],
      reads: inData,
      asks: { model: flash31, references: 2 },
    },
    {
      client: 'Open WebUI, Gemini engine with its defaults',
      path: '/v1beta/models/nano-banana-2:predict',
      headers: googleKey,
      body: { instances: { prompt }, parameters: { sampleCount: 1, outputOptions: { mimeType: 'image/png' } } },
      reads: inPredictions,
      asks: { model: flash31, madeInto: 'png' },
    },
    {
      client: 'Open WebUI, Gemini engine with generateContent',
      path: `/v1beta/models/${flash31}:generateContent`,
      headers: googleKey,
      body: { contents: [{ parts: [{ text: prompt }] }] },
      reads: inCandidates,
      asks: { model: flash31 },
    },
    {
      client: 'Open WebUI, Gemini engine editing a JPEG that it calls PNG',
      path: '/v1beta/models/nano-banana:generateContent',
      headers: googleKey,
      body: { contents: [{ parts: [{ text: prompt }, inline(jpeg, 'image/png'), inline(png, 'image/png')] }] },
      reads: inCandidates,
      asks: { model: flash25, references: 2 },
    },
    {
      client: 'n8n, OpenAI node, with an organization that is empty',
      path: generations,
      headers: { ...bearer, 'openai-organization': '' },
      body: {
        prompt,
        model: 'dall-e-3',
        response_format: 'b64_json',
        quality: 'standard',
        size: '1792x1024',
        style: 'vivid',
      },
      reads: inData,
      asks: { model: flash31, size: '1376x768' },
    },
    {
      client: 'n8n, OpenAI node, editing with a mask',
      path: edits,
      headers: { ...bearer, 'openai-organization': '' },
      body: [
        pngPart('image[]'),
        ...textParts({ prompt, model: 'gpt-image-1', n: '1', size: '1024x1024', quality: 'auto', background: 'auto' }),
        ...textParts({ input_fidelity: 'low', output_format: 'png', output_compression: '100' }),
        { name: 'mask', value: mask, fileName: 'mask.png', type: 'image/png' },
      ],
      reads: inData,
      asks: { model: flash31, references: 2, madeInto: 'png' },
    },
    {
      client: 'n8n, OpenAI node, editing with a model whose answers are addresses',
      path: edits,
      headers: { ...bearer, 'openai-organization': '' },
      body: [
        pngPart('image'),
        ...textParts({ prompt, model: 'dall-e-2', n: '1', size: '1024x1024', response_format: 'url' }),
      ],
      reads: fetched,
      asks: { model: flash31, size: '1024x1024', references: 1 },
    },
    {
      client: 'LlamaIndex, which reads an address and asks for none',
      path: generations,
      headers: bearer,
      body: { prompt, model: 'dall-e-3', n: 1, size: '1024x1024', quality: 'standard' },
      reads: fetched,
      asks: { model: flash31, size: '1024x1024' },
    },
    {
      client: 'n8n, Gemini node, with its key in the address',
      path: `/v1beta/models/${flash25}:generateContent?key=${key}`,
      body: {
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        generationConfig: { responseModalities: ['IMAGE', 'TEXT'] },
      },
      reads: inCandidates,
      asks: { model: flash25 },
    },
    {
      client: 'n8n, Gemini node with an Imagen model',
      path: `/v1beta/models/imagen-4.0-generate-001:predict?key=${key}`,
      body: { instances: [{ prompt }], parameters: { sampleCount: 2 } },
      reads: inPredictions,
      asks: { model: flash31, calls: 2 },
    },
    {
      client: 'LobeChat, whose own parameters are in camelCase',
      path: generations,
      headers: bearer,
      body: {
        model: 'nano-banana-2',
        n: 1,
        prompt,
        aspectRatio: '16:9',
        resolution: '1K',
        seed: null,
        steps: 20,
        cfg: 2.5,
      },
      reads: inData,
      asks: { model: flash31, size: '1376x768' },
    },
    {
      client: 'LobeChat, with width and height',
      path: generations,
      headers: bearer,
      body: { model: 'nano-banana-2', n: 1, prompt, width: 512, height: 512, seed: 7 },
      reads: inData,
      asks: { model: flash31, size: '512x512' },
    },
    {
      client: 'LobeChat, editing',
      path: edits,
      headers: bearer,
      body: [
        ...textParts({ model: 'nano-banana-2', n: '1', input_fidelity: 'high', prompt, aspectRatio: '1:1' }),
        ...textParts({ resolution: '512', steps: '20', cfg: '2.5', seed: '7' }),
        jpegPart('image[]'),
        pngPart('image[]'),
      ],
      reads: inData,
      asks: { model: flash31, size: '512x512', references: 2 },
    },
    {
      client: 'LobeChat, through Google’s SDK',
      path: `/v1beta/models/${flash31}:generateContent`,
      headers: googleKey,
      body: {
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        generationConfig: { responseModalities: ['Image'], imageConfig: { aspectRatio: '4:3', imageSize: '512' } },
      },
      reads: inCandidates,
      asks: { model: flash31, size: '600x448' },
    },
    {
      client: 'Cherry Studio, as it asks New API',
      path: generations,
      headers: { ...bearer, 'x-api-key': key },
      body: {
        model: 'nano-banana-2',
        prompt,
        size: 'auto',
        background: 'auto',
        n: 1,
        quality: 'auto',
        moderation: 'auto',
      },
      reads: inData,
      asks: { model: flash31 },
    },
    {
      client: 'Cherry Studio, editing: the same name for every file',
      path: edits,
      headers: bearer,
      body: [
        ...textParts({ prompt, model: 'nano-banana-2', n: '1', size: '512x512', quality: 'high', moderation: 'low' }),
        pngPart('image'),
        jpegPart('image'),
      ],
      reads: inData,
      asks: { model: flash31, size: '512x512', references: 2 },
    },
    {
      client: 'Cherry Studio, Gemini, with its key in two headers',
      path: `/v1beta/models/${flash31}:generateContent`,
      headers: { ...bearer, ...googleKey },
      body: {
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        generationConfig: { responseModalities: ['TEXT', 'IMAGE'] },
      },
      reads: inCandidates,
      asks: { model: flash31 },
    },
    {
      client: 'Cherry Studio, whose OpenAI calls go below Gemini’s address',
      path: '/v1beta1/images/generations',
      headers: bearer,
      body: { model: 'nano-banana-2', prompt, size: '512x512', n: 1 },
      reads: inData,
      asks: { model: flash31, size: '512x512' },
    },
    {
      client: 'Dify, with a model that is retired',
      path: generations,
      headers: bearer,
      body: {
        model: 'gpt-image-1',
        prompt,
        n: 1,
        size: '1536x1024',
        quality: 'high',
        background: 'auto',
        output_format: 'png',
      },
      reads: inData,
      asks: { model: flash31, size: '1264x848', madeInto: 'png' },
    },
    {
      client: 'Dify, Gemini image tool, with a model’s first name',
      path: '/v1beta/models/gemini-2.5-flash-image-preview:generateContent',
      headers: googleKey,
      body: { contents: [{ parts: [{ text: prompt }, inline(png, 'image/png'), inline(jpeg, 'image/jpeg')] }] },
      reads: inCandidates,
      asks: { model: flash25, references: 2 },
    },
    {
      client: 'NextChat',
      path: generations,
      headers: bearer,
      body: {
        model: 'dall-e-3',
        prompt,
        response_format: 'b64_json',
        n: 1,
        size: '1024x1024',
        quality: 'standard',
        style: 'vivid',
      },
      reads: inData,
      asks: { model: flash31, size: '1024x1024' },
    },
    {
      client: 'SillyTavern',
      path: '/v1beta/models/imagen-3.0-generate-002:predict',
      headers: googleKey,
      body: {
        instances: [{ prompt }],
        parameters: {
          sampleCount: 1,
          aspectRatio: '1:1',
          personGeneration: 'allow_adult',
          safetySetting: 'block_low_and_above',
          outputOptions: { mimeType: 'image/jpeg', compressionQuality: 100 },
        },
      },
      reads: inPredictions,
      asks: { model: flash31, size: '1024x1024' },
    },
    {
      client: 'SillyTavern, as it asks Vertex AI through a proxy',
      path: '/v1/publishers/google/models/nano-banana-2:predict',
      headers: bearer,
      body: {
        instances: [{ prompt }],
        parameters: {
          sampleCount: 1,
          seed: 5,
          enhancePrompt: false,
          aspectRatio: '16:9',
          language: 'auto',
          addWatermark: false,
        },
      },
      reads: inPredictions,
      asks: { model: flash31, size: '1376x768' },
    },
    {
      client: 'LibreChat, whose users’ own tokens stand beside the key',
      path: `/v1beta/models/${flash31}:generateContent`,
      headers: { ...googleKey, authorization: 'Bearer a-token-of-its-user' },
      body: {
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        generationConfig: { responseModalities: ['TEXT', 'IMAGE'] },
      },
      reads: inCandidates,
      asks: { model: flash31 },
    },
    {
      client: 'a node of ComfyUI, which mixes the case of its modalities',
      path: `/v1beta/models/${flash31}:generateContent`,
      headers: googleKey,
      body: {
        contents: [{ role: 'user', parts: [{ text: prompt }] }],
        generationConfig: { responseModalities: ['Text', 'Image'], temperature: 1, topP: 0.95, topK: 40 },
      },
      reads: inCandidates,
      asks: { model: flash31 },
    },
    {
      client: 'LiteLLM, whose configuration is half in snake_case, with n as candidates',
      path: '/models/gemini-3.1-flash-image:generateContent',
      headers: googleKey,
      body: {
        contents: [{ parts: [{ text: prompt }] }],
        generationConfig: {
          response_modalities: ['IMAGE', 'TEXT'],
          imageConfig: { aspectRatio: '16:9' },
          candidateCount: 2,
        },
      },
      reads: inCandidates,
      asks: { model: flash31, size: '1376x768', calls: 2 },
    },
    {
      client: 'AnythingLLM',
      path: generations,
      headers: bearer,
      body: { model: 'nano-banana-2', prompt, n: 1, size: '512x512', response_format: 'b64_json' },
      reads: inData,
      asks: { model: flash31, size: '512x512' },
    },
  ]
}
