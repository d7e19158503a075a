/** From an upstream's settings to what routing chooses from: its connections, its credentials, its dialect. */
import { sandboxName } from './config/checks.ts'
import type { Config, UpstreamConfig } from './config/config.ts'
import { aimlapi } from './dialects/aimlapi.ts'
import { azure } from './dialects/azure.ts'
import type { Dialect } from './dialects/dialect.ts'
import type { GeminiDialect } from './dialects/gemini.ts'
import { google } from './dialects/google.ts'
import { nanoBanana } from './dialects/nano-banana.ts'
import { openai as openaiDialect } from './dialects/openai.ts'
import type { OpenAiDialect } from './dialects/openai-form.ts'
import { vertex } from './dialects/vertex.ts'
import { zenlayerGemini } from './dialects/zenlayer-gemini.ts'
import { zenlayerOpenAi } from './dialects/zenlayer-openai.ts'
import type { Candidate } from './gateway/routing.ts'
import type { HoldingPlaces } from './memory/held-document.ts'
import type { Catalogue } from './models/catalogue.ts'
import { ownNames } from './models/own-names.ts'
import { createPool } from './net/pool.ts'
import type { OpenWindows } from './net/window-socket.ts'
import * as gemini from './protocols/gemini/index.ts'
import * as openai from './protocols/openai/index.ts'
import type { Outbound } from './protocols/protocol.ts'
import { type Credentials, createCredentials } from './upstreams/credentials.ts'
import { createGoogleCredentials } from './upstreams/google-credentials.ts'
import { createUpstream } from './upstreams/upstream.ts'

export interface CandidateParts {
  readonly catalogue: Catalogue
  readonly places: HoldingPlaces
  readonly openWindows: OpenWindows | undefined
  readonly maxDocumentBytes: number
  readonly version: string
  /** Certificates to trust beside the system's, PEM. */
  readonly upstreamCa: string | undefined
}

export type TimedCandidate = Candidate & { readonly totalMs: number }

/** Those that are configured, and the sandbox where it serves. */
export function upstreamsOf({ upstreams, sandbox }: Config, sandboxUrl: string | null): readonly UpstreamConfig[] {
  if (!sandbox || sandboxUrl === null) return upstreams
  const sandboxUpstream: UpstreamConfig = {
    name: sandboxName,
    protocol: 'gemini',
    dialect: 'google',
    baseUrl: sandboxUrl,
    // No word of a sentence: keys are taken out of every text that an upstream sends.
    keys: ['built-in-sandbox-key'],
    models: new Map(),
    connections: 256,
    timeouts: { connectSeconds: 5, firstByteSeconds: 300, idleSeconds: 60, totalSeconds: 600 },
    allowPrivateNetwork: true,
  }
  return [...upstreams, sandboxUpstream]
}

export function createCandidate(config: UpstreamConfig, parts: CandidateParts): TimedCandidate {
  const { name, protocol, baseUrl, models, connections, timeouts, allowPrivateNetwork } = config
  const { catalogue, places, openWindows, maxDocumentBytes, version, upstreamCa } = parts
  const { origin, pathname } = new URL(baseUrl)
  const totalMs = timeouts.totalSeconds * 1000
  const { dialect, outbound } = spoken(config)
  const pool = createPool(origin, {
    connections,
    connectMs: timeouts.connectSeconds * 1000,
    firstByteMs: timeouts.firstByteSeconds * 1000,
    idleMs: timeouts.idleSeconds * 1000,
    totalMs,
    allowPrivateNetwork,
    openWindows,
    ...(upstreamCa && { ca: upstreamCa }),
  })
  const upstream = createUpstream({
    name,
    origin,
    basePath: pathname === '/' ? '' : pathname.replace(/\/$/, ''),
    pool,
    credentials: credentialsOf(config, dialect),
    places,
    maxDocumentBytes,
    userAgent: `plantain/${version}`,
  })
  return { upstream, protocol, dialect, outbound, origin, modelNames: ownNames(models, catalogue), totalMs }
}

function credentialsOf({ keys, project, credentialsFile, baseUrl }: UpstreamConfig, dialect: Dialect): Credentials {
  return project === undefined
    ? createCredentials(keys, dialect.keyHeader)
    : createGoogleCredentials({ credentialsFile, url: baseUrl })
}

function spoken(config: UpstreamConfig): { readonly dialect: Dialect; readonly outbound: Outbound } {
  if (config.protocol === 'openai') {
    const dialect = openAiDialect(config)
    return { dialect, outbound: openai.createOutbound(dialect) }
  }
  const dialect = geminiDialect(config)
  return { dialect, outbound: gemini.createOutbound(dialect) }
}

function openAiDialect({ dialect, apiVersion, baseUrl }: UpstreamConfig): OpenAiDialect {
  switch (dialect) {
    case 'azure':
      return azure({ apiVersion, baseUrl })
    case 'zenlayer':
      return zenlayerOpenAi
    case 'nano-banana':
      return nanoBanana
    case 'aimlapi':
      return aimlapi
    default:
      return openaiDialect
  }
}

function geminiDialect({ dialect, project, location }: UpstreamConfig): GeminiDialect {
  switch (dialect) {
    case 'vertex':
      return vertex({ project, location })
    case 'zenlayer':
      return zenlayerGemini
    default:
      return google
  }
}
