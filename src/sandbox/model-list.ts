/** `GET /v1beta/models`: what Google says of each model, page by page. */
import { invalid } from './errors.ts'
import { isFixed, type SandboxModel } from './model.ts'

export function modelDocument(model: SandboxModel): object {
  return {
    name: `models/${model.id}`,
    version: /\d+(\.\d+)?/.exec(model.id)?.[0] ?? '001',
    displayName: model.displayName,
    description: `${model.displayName}, painted by the sandbox.`,
    inputTokenLimit: isFixed(model) ? 32768 : 65536,
    outputTokenLimit: 32768,
    supportedGenerationMethods: ['generateContent', 'streamGenerateContent', 'countTokens'],
    temperature: 1,
    topP: 0.95,
    topK: 64,
    maxTemperature: 2,
    thinking: model.thinking,
  }
}

/** Throws 400 for a token that is none of ours. */
export function listDocument(models: readonly SandboxModel[], pageSize: number, pageToken: string | null): object {
  const from = pageToken ? readToken(pageToken) : 0
  const to = from + pageSize
  return {
    models: models.slice(from, to).map(modelDocument),
    ...(to < models.length && { nextPageToken: Buffer.from(`from ${to}`).toString('base64url') }),
  }
}

function readToken(token: string): number {
  const match = /^from (\d{1,6})$/.exec(Buffer.from(token, 'base64url').toString('latin1'))
  if (!match) throw invalid('The page token is invalid or expired.')
  return Number(match[1])
}
