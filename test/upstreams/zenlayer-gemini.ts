/** Zenlayer's Gemini form: Google's request under /v1/v1beta with a bearer key, and bounds of its own. */
import { GoogleError, modelMissing, routeMissing } from '../../src/sandbox/errors.ts'
import { generateContentRequest } from '../../src/sandbox/fields.ts'
import type { SandboxModel } from '../../src/sandbox/model.ts'
import { readMessage } from '../../src/sandbox/proto-json.ts'
import type { Call, Reply } from './contract.ts'
import { bodyOf, checked, checkRoles, checkSpellings, refused, serveGenerate, withFiles } from './gemini-call.ts'
import { flash25, flash31, pro3 } from './gemini-models.ts'

// The document's list: neither 4:5 nor 5:4.
const ratios = ['1:1', '2:3', '3:2', '3:4', '4:3', '9:16', '16:9', '21:9']
const tiers = ['1K', '2K', '4K'] as const

/** The bounds on pictures are those of the document of edits; for the third model, which that has not, Google's own. */
const models: readonly SandboxModel[] = [
  { ...flash25, ratios, maxReferences: 3 },
  { ...pro3, id: 'gemini-3-pro-image-preview', ratios, tiers, maxReferences: 14 },
  { ...flash31, id: 'gemini-3.1-flash-image-preview', ratios, tiers, maxReferences: 14 },
]

export const zenlayerModel = (id: string): SandboxModel | null => models.find(model => model.id === id) ?? null

/** Only what the document has: `generateContent`, no streams, no counting; only below /v1/v1beta, only with a bearer. */
export async function serveZenlayerGemini(call: Call, key: string): Promise<Reply | null> {
  const { method, path, headers } = call.request
  if (headers.authorization !== `Bearer ${key}`) throw refused(unauthorized())
  const [, id, action] = /^\/v1\/v1beta\/models\/([^/:]+):(\w+)$/.exec(decodeURIComponent(path)) ?? []
  if (method !== 'POST' || id === undefined || action === undefined) throw refused(routeMissing())
  const model = zenlayerModel(id)
  if (!model || action !== 'generateContent') throw refused(modelMissing(id, 'v1beta', action))
  const body = bodyOf(call)
  checkSpellings(body)
  const request = checked(() => readMessage(generateContentRequest, body))
  // "content.role: required".
  checkRoles(request)
  // It knows text and inline data alone.
  const withoutFiles = withFiles(request, {
    problem: () => 'Files by address are not supported.',
    mimeTypeRequired: true,
  })
  return await serveGenerate(call, { model, form: 'none', request: withoutFiles, unauthorized })
}

const unauthorized = () => new GoogleError(401, 'UNAUTHENTICATED', 'Invalid API key provided.')
