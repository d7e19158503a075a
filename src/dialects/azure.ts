/** OpenAI's models on Azure: https://learn.microsoft.com/azure/ai-services/openai/how-to/dall-e */
import { gptImageFields, openai } from './openai.ts'
import type { ImageOperation, OpenAiDialect } from './openai-form.ts'

export interface AzureSurface {
  /** Of the surface whose paths name a deployment. Absent: the v1 surface, whose paths are OpenAI's own and whose `model` is the deployment. */
  readonly apiVersion?: string | undefined
  /** The resource's root; that of the v1 surface (`…/openai/v1`) is taken as well. */
  readonly baseUrl: string
}

export function azure({ apiVersion, baseUrl }: AzureSurface): OpenAiDialect {
  const v1 = new URL(baseUrl).pathname.endsWith('/openai/v1') ? '' : '/openai/v1'
  const pathOf = (model: string, operation: ImageOperation) =>
    apiVersion === undefined
      ? v1 + openai.pathOf(model, operation)
      : `/openai/deployments/${encodeURIComponent(model)}${openai.pathOf(model, operation)}?api-version=${encodeURIComponent(apiVersion)}`
  return {
    ...openai,
    name: 'azure',
    keyHeader: 'api-key',
    pathOf,
    jsonEdits: false,
    // A deployment is called as its owner likes: what it holds can't be told by its name.
    fieldsOf: (_model, operation) => gptImageFields(operation),
  }
}
