/** Where things meet: configuration in, a gateway with its two listeners out. Opens no port. */

import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { availableParallelism } from 'node:os'
import type { FastifyInstance } from 'fastify'
import { createAdmin, type Readiness } from './admin/server.ts'
import { createBookkeeping } from './bookkeeping.ts'
import { createCandidate, upstreamsOf } from './candidates.ts'
import { urlHost } from './config/address.ts'
import type { Config } from './config/config.ts'
import { createCounting } from './counting.ts'
import { isAnsweredByUrl } from './gateway/delivery.ts'
import { createGateway } from './gateway/gateway.ts'
import { createRouting } from './gateway/routing.ts'
import { createAnswerAsset } from './http/assets.ts'
import { anonymous, createAuthenticate } from './http/auth.ts'
import { createCallsHandler } from './http/calls.ts'
import { createCallsRelay } from './http/calls-relay.ts'
import { createCors } from './http/cors.ts'
import { createImagesHandler } from './http/images.ts'
import { createImagesRelay } from './http/images-relay.ts'
import { type Activity, createExchanges } from './http/serve.ts'
import { createServer } from './http/server.ts'
import { createTranslate } from './http/translate.ts'
import { asError } from './images/error.ts'
import { createLimits } from './limits/limits.ts'
import type { LimitStore } from './limits/store.ts'
import { type AnswerMemory, createPlainMemory } from './memory/answer-memory.ts'
import { BufferPool } from './memory/buffer-pool.ts'
import type { HoldingPlaces } from './memory/held-document.ts'
import { createRoom } from './memory/room.ts'
import { SlabPool } from './memory/slabs.ts'
import { SpillSpace } from './memory/spill.ts'
import { loadCatalogue } from './models/catalogue.ts'
import { offeredNames } from './models/offered.ts'
import { readShippedCatalogue } from './models/shipped.ts'
import { type OpenWindows, windowsWork } from './net/window-socket.ts'
import { byModelIds, createOffer } from './offer.ts'
import { openAssets, openReferences } from './pictures.ts'
import { createPixelQueue, jobsAtOnce } from './pixels/queue.ts'
import { textMemory } from './streams/base64-kernel.ts'
import type { Log } from './telemetry/log.ts'
import { createMemoryKeeper } from './usage/memory-keeper.ts'
import type { UsageKeeper } from './usage/usage.ts'

export interface AppParts {
  readonly log: Log
  /** Counts callers' limits. Its connection is its maker's to close. */
  readonly limitStore: LimitStore
  /** A shared store does not answer. */
  readonly limitStoreDegraded?: () => boolean
  /** Keeps what callers have used. Its maker's to close; absent: this process's memory. */
  readonly usage?: UsageKeeper
  /** Where the sandbox listens, when it stands in for upstreams. */
  readonly sandboxUrl: string | null
  readonly version: string
  /** Read answers into slabs, if this Node lets us. */
  readonly slabs: boolean
  /** Told how many bytes of text are made of pictures that come, in buffers that are garbage then. */
  readonly onUpload?: (bytes: number) => void
  /** Told how many bytes of such buffers are no longer kept for the next ones. */
  readonly onLetGo?: (bytes: number) => void
  /** Streamed answers say that they live after so much silence; absent: 12 s. */
  readonly heartbeatMs?: number
  /** Seconds since the epoch, by which pictures answered by URL expire and usage has its days; absent: the machine's clock. */
  readonly epochSeconds?: () => number
  /** Certificates of upstreams to trust beside the system's, PEM. */
  readonly upstreamCa?: string
}

export interface App {
  readonly server: FastifyInstance
  readonly admin: FastifyInstance
  readonly upstreamNames: readonly string[]
  /** What a request has to name to be served, for instance. Null: it need name none, for `answers.default_model` is served. */
  readonly modelToName: string | null
  activity(): Activity
  /** Memory that answers and requests take now. */
  heldBytes(): number
  /** What `/readyz` and `/metrics` say. */
  readiness(): Readiness
  metricsText(): Promise<string>
  /** From now on `/readyz` says no, and every answer closes its connection. */
  startDraining(): void
  /** Ends listeners, upstream connections and leases. What is in flight is awaited. */
  close(): Promise<void>
}

// Half a gigabyte at most while pictures are put together; a minute's work or two when the line is full.
const mostPixels = 64_000_000
const mostPictures = 512
// Less than any proxy's idea of a dead connection.
const usualHeartbeatMs = 12_000

/** @throws Error where the catalogue has mistakes, or the spill folder or that of the assets can't be made. */
export async function buildApp(config: Config, parts: AppParts): Promise<App> {
  const now = () => performance.now()
  const nowSeconds = parts.epochSeconds ?? (() => Date.now() / 1000)
  const catalogue = loadCatalogue(readShippedCatalogue(), config.models)
  const { memory, openWindows } = await answerMemory(config, parts)
  const places: HoldingPlaces = { memory, spill: new SpillSpace(config.answers.spillDir, config.answers.spillBytes) }
  const room = createRoom(config.requests.memoryBytes)
  const upstreams = upstreamsOf(config, parts.sandboxUrl)
  const usage = parts.usage ?? createMemoryKeeper()
  const books = createBookkeeping({
    keeper: usage,
    zone: config.limitsZone,
    nowMs: () => nowSeconds() * 1000,
  })
  const degraded = parts.limitStoreDegraded ?? (() => false)
  const counting = createCounting(config, {
    upstreams,
    places,
    room,
    limitStoreDegraded: degraded,
    queueWaiting: () => limits.waiting(),
    usage,
  })
  const { metrics } = counting
  const limits = createLimits({
    store: parts.limitStore,
    now,
    zone: config.limitsZone,
    upstreams: config.upstreams,
    observe: event => counting.limitsDecided(event),
  })
  const { version, upstreamCa } = parts
  const { maxDocumentBytes } = config.answers
  const candidates = upstreams.map(upstream =>
    createCandidate(upstream, { catalogue, places, openWindows, maxDocumentBytes, version, upstreamCa }),
  )
  const { callers, routing: routes } = byModelIds(config, catalogue)
  const routing = createRouting(candidates, routes)
  const buffers = new BufferPool({ makeLarge: textMemory, onTake: parts.onUpload, onLetGo: parts.onLetGo })
  const pixels = createPixelQueue({
    atOnce: jobsAtOnce(Math.ceil(availableParallelism() / config.workers), process.env.UV_THREADPOOL_SIZE),
    mostPixels: mostPixels / config.workers,
    mostPictures: Math.ceil(mostPictures / config.workers),
  })
  const names = offeredNames(
    catalogue,
    candidates.map(({ modelNames }) => modelNames),
  )
  const offer = createOffer({ catalogue, names, routing, settings: config.answers })
  const { log } = parts
  const assets = await openAssets(config, { log, nowSeconds, ownUrl: () => boundUrl(server) })
  const references = openReferences(config, { log, metrics, room, buffers, version, ca: upstreamCa })
  const gateway = createGateway({
    catalogue,
    names,
    routing,
    limits,
    places,
    references,
    pixels,
    assets,
    settings: config.answers,
    now,
    onUpstreamStart: counting.callBegins,
    onUpstreamCall: counting.callEnded,
  })

  let draining = false
  const isDraining = () => draining
  const cors = createCors(config.listen.corsOrigins)
  const authenticate = createAuthenticate(config.auth, callers)
  const writeTimeoutMs = config.answers.writeTimeoutSeconds * 1000
  const { serve, activity, ended } = createExchanges({
    authenticate,
    cors,
    metrics: {
      exchange: record => {
        metrics.exchange(record)
        books.exchange(record)
      },
    },
    log: parts.log,
    totalMs: Math.max(...candidates.map(({ totalMs }) => totalMs)),
    writeTimeoutMs,
    strictParameters: config.answers.strictParameters,
    instance: randomUUID().slice(0, 8),
    draining: isDraining,
    now,
  })
  const { maxBodyBytes } = config.listen
  const stream = { heartbeatMs: parts.heartbeatMs ?? usualHeartbeatMs, writeTimeoutMs }
  const bounds = { maxImageBytes: config.references.maxBytes, maxImages: config.references.maxCount }
  const server = createServer({
    images: createImagesHandler({
      serve,
      gateway,
      room,
      buffers,
      maxBodyBytes,
      bounds,
      stream,
      relay: createImagesRelay(candidates, {
        gateway,
        memory,
        writeTimeoutMs,
        isAnsweredByUrl: model => isAnsweredByUrl(config.answers, model),
        isAllowed: references.isAllowed,
      }),
    }),
    calls: createCallsHandler({
      serve,
      gateway,
      room,
      maxBodyBytes,
      relay: createCallsRelay({ gateway, memory, writeTimeoutMs }),
      translate: createTranslate({ gateway, bounds, stream }),
      isAllowed: references.isAllowed,
    }),
    answerAsset: createAnswerAsset(assets),
    onDownload: download => metrics.download(download),
    authenticate,
    cors,
    catalogue,
    names,
    isServedTo: caller => offer.isServedTo(caller.models),
    writeTimeoutMs,
    draining: isDraining,
    onInternalError: (error, requestId) => parts.log.error('a request failed', { requestId, error: asError(error) }),
    startedSeconds: Math.floor(Date.now() / 1000),
  })
  const readiness = () => {
    const checks = { limits: limits.ready(), limitStore: !degraded(), assets: assets.usable(), accepting: !draining }
    // Without the store of pictures all but answers by URL go on.
    return { ready: checks.limits && checks.accepting, checks }
  }
  const admin = createAdmin({
    token: config.admin.token,
    metrics,
    ready: readiness,
    reports: {
      usage,
      limits,
      today: books.today,
      onStoreError: config.onStoreError,
      zone: config.limitsZone,
      callers: config.auth === 'open' ? [...callers, anonymous] : callers,
      modelIds: offer.modelIds,
      modelIdOf: offer.modelIdOf,
    },
  })

  return {
    server,
    admin,
    upstreamNames: candidates.map(({ upstream }) => upstream.name),
    modelToName: offer.modelToName,
    activity,
    heldBytes: () => memory.bytesInUse + room.bytesInUse,
    readiness,
    metricsText: () => metrics.text(),
    startDraining: () => {
      draining = true
    },
    close: async () => {
      await server.close()
      // The last connection is gone a moment before the exchanges on it are.
      await ended()
      // Health checks are answered until then: who can't ask would kill a gateway that drains.
      await admin.close()
      await Promise.all([limits.close(), assets.close(), ...candidates.map(({ upstream }) => upstream.close())])
    },
  }
}

/** Slabs where Node's sockets can read into them, else the buffers they allocate themselves. */
async function answerMemory(
  { answers }: Config,
  { slabs, log }: AppParts,
): Promise<{ memory: AnswerMemory; openWindows?: OpenWindows }> {
  if (slabs) {
    const pool = new SlabPool(answers.memoryBytes, textMemory)
    const openWindows = () => pool.openWindows()
    if (await windowsWork(openWindows)) return { memory: pool, openWindows }
    log.warn('this Node does not let sockets read into slabs: reading the plain way, which costs more')
  }
  return { memory: createPlainMemory(answers.memoryBytes) }
}

/** Where the public listener is. One that listens on every address is called on this machine's own. */
function boundUrl({ server }: FastifyInstance): string {
  const { address, port } = server.address() as AddressInfo
  if (address === '0.0.0.0' || address === '::') return `http://127.0.0.1:${port}`
  return `http://${urlHost(address)}:${port}`
}
