/** Google's Generative Language API for image models: the sandbox's own strictness, with the fakes' orders, records and pictures. */
import {
  type GoogleError,
  keyInvalid,
  keyMissing,
  modelMissing,
  routeMissing,
  tokenInvalid,
} from '../../src/sandbox/errors.ts'
import { countTokensRequest, generateContentRequest } from '../../src/sandbox/fields.ts'
import type { SandboxModel } from '../../src/sandbox/model.ts'
import { listDocument, modelDocument } from '../../src/sandbox/model-list.ts'
import { readMessage } from '../../src/sandbox/proto-json.ts'
import { type Route, readRoute, readTarget } from '../../src/sandbox/routes.ts'
import { type Call, type FakeUpstream, json, type Reply } from './contract.ts'
import { startFake } from './fake.ts'
import {
  bodyOf,
  checked,
  checkSpellings,
  inList,
  refused,
  serveCount,
  serveGenerate,
  withFiles,
} from './gemini-call.ts'
import { googleModels } from './gemini-models.ts'

const key = 'AIza-google-good-key'

export const startGoogle = (): Promise<FakeUpstream> =>
  startFake({
    name: 'google',
    protocol: 'gemini',
    dialect: 'google',
    key,
    basePath: '',
    answers: [
      'ok',
      'drafts',
      'refusal',
      'rate-limited',
      'quota-exhausted',
      'unauthorized',
      'server-error',
      'cut',
      'error-in-stream',
      'slow',
      'text-only',
      'empty',
    ],
    serve,
  })

async function serve(call: Call): Promise<Reply | null> {
  const { method, path, query } = call.request
  const target = readTarget(`${path}?${query}`)
  const route = checked(() => target && readRoute(method, target))
  if (!route) throw refused(routeMissing())
  const answer = () => take(call, route)
  return await (route.call === 'generate' && route.stream === 'array' ? inList(answer) : answer())
}

async function take(call: Call, route: Route): Promise<Reply | null> {
  const { query, headers } = call.request
  const wrong = keyProblem(headers, query.get('key'))
  if (wrong) throw refused(wrong)
  switch (route.call) {
    case 'list':
      return json(
        200,
        checked(() => listDocument(googleModels, route.pageSize, route.pageToken)),
      )
    case 'get':
      return json(200, modelDocument(findModel(route.model, route.version, 'getModel')))
    case 'unsupported':
      throw refused(modelMissing(route.model, route.version, route.method))
    case 'count': {
      const model = findModel(route.model, route.version, 'countTokens')
      const body = bodyOf(call)
      return serveCount(
        model,
        checked(() => readMessage(countTokensRequest, body)),
      )
    }
    case 'generate': {
      const model = findModel(
        route.model,
        route.version,
        route.stream === 'none' ? 'generateContent' : 'streamGenerateContent',
      )
      const body = bodyOf(call)
      checkSpellings(body)
      const read = checked(() => readMessage(generateContentRequest, body))
      const request = withFiles(read, { problem: fileProblem, mimeTypeRequired: false })
      return await serveGenerate(call, { model, form: route.stream, request, unauthorized: keyInvalid })
    }
  }
}

function keyProblem(headers: Call['request']['headers'], queryKey: string | null): GoogleError | null {
  const given = headers['x-goog-api-key'] ?? queryKey
  if (given === null) return headers.authorization ? tokenInvalid() : keyMissing()
  return given === key ? null : keyInvalid()
}

function findModel(id: string, version: string, method: string): SandboxModel {
  const model = googleModels.find(known => known.id === id)
  if (!model) throw refused(modelMissing(id, version, method))
  return model
}

/** Files of the Files API, and public addresses; Cloud Storage only where it was registered, which here it never was. */
function fileProblem(uri: string): string | null {
  if (/^https?:\/\//.test(uri) && URL.canParse(uri)) return null
  return `Unsupported file URI type: ${uri}. File URIs must be File API (e.g. https://generativelanguage.googleapis.com/files/<id>) or public https addresses.`
}
