/** The process: read the configuration, build, listen, and leave in good order when told to. No routes. */

import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { answerWith } from './admin/elsewhere.ts'
import type { App } from './app.ts'
import { sandboxName } from './config/checks.ts'
import type { Config } from './config/config.ts'
import { ConfigError, configErrorExitCode } from './config/config-error.ts'
import { checkFolders } from './config/folders.ts'
import { loadConfig } from './config/load.ts'
import { collectPeaks, collectUploads, forgetTheStart, optimiseSooner } from './engine.ts'
import { greeting } from './greeting.ts'
import { asError } from './images/error.ts'
import { leaveOnce } from './leaving.ts'
import { type OpenStore, openLimitStore } from './limits/open-store.ts'
import { whileAway } from './limits/while-away.ts'
import { findFree, listen } from './listening.ts'
import { mistakesInOwnModels } from './models/own-models.ts'
import { createLog, type Log } from './telemetry/log.ts'
import { openUsageKeeper } from './usage/open-keeper.ts'
import { WorkerFailed } from './workers/messages.ts'
import { takeRole } from './workers/worker.ts'

/** For exchanges that were cut to give back what they hold. */
const cutMs = 2_000

/** For workers to end after the last of their exchanges was finished or cut. */
const lateMs = cutMs + 5_000

const role = await takeRole()
const config = role?.task.config ?? readConfig()
const leads = role === null && config.workers > 1
const { version } = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8')) as { version: string }
const log = createLog({ level: config.logLevel, secrets: secretsOf(config), shared: config.workers > 1 })

// A failure to tell of a failure must not be told of.
let failing = false
process.on('uncaughtException', error => void fail('a fault nobody caught', error))
process.on('unhandledRejection', error => void fail('a promise nobody awaited failed', error))

await (leads ? lead() : start())

function readConfig(): Config {
  try {
    const config = loadConfig({ env: process.env, cwd: process.cwd(), modelMistakes: mistakesInOwnModels })
    checkFolders(config)
    return config
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    process.stderr.write(`${error.message}\n`)
    process.exit(configErrorExitCode)
  }
}

async function start(): Promise<void> {
  try {
    const sandbox = role === null && config.sandbox ? await openSandbox() : null
    const store = await limitStore(config, log)
    const usage = await openUsageKeeper({ redisUrl: config.redisUrl, observe: tellOfUsage })
    // Only where it serves: it costs memory.
    const { buildApp } = await import('./app.ts')
    const app = await buildApp(config, {
      log,
      usage,
      limitStore: store.store,
      limitStoreDegraded: () => store.degraded(),
      sandboxUrl: role?.task.sandboxUrl ?? sandbox?.url ?? null,
      version,
      slabs: process.env.PLANTAIN_SLABS !== 'off',
      onUpload: collectUploads(),
      onLetGo: collectPeaks(() => app.activity()),
    })
    const address = await listen(app.server, config.listen, 'PLANTAIN', role !== null)
    const adminAddress = role ? null : await listen(app.admin, config.admin, 'PLANTAIN_ADMIN')
    optimiseSooner({ budgetBytes: config.answers.memoryBytes, heldBytes: app.heldBytes })
    forgetTheStart(app.activity)
    const leave = onLeave(() =>
      drain(app, async () => {
        await usage.close()
        if (usage.unwritten() > 0) log.warn('usage is lost: Redis did not take it', { requests: usage.unwritten() })
        await store.close()
        await sandbox?.close()
      }),
    )
    const { readiness, metricsText, upstreamNames, modelToName } = app
    if (modelToName !== null && !role?.task.place) tellOfDefaultModel(modelToName)
    role?.serve({ address, readiness, metricsText, answerOperator: answerWith(app.admin), leave })
    if (adminAddress !== null) greet(upstreamNames, address, adminAddress, modelToName)
  } catch (error) {
    await fail('the start failed', error)
  }
}

/** Serves nobody but the operator: workers do the rest. */
async function lead(): Promise<void> {
  const { leadWorkers } = await import('./workers/lead.ts')
  try {
    const sandbox = config.sandbox ? await openSandbox() : null
    const { admin, ...workers } = leadWorkers({ config, sandboxUrl: sandbox?.url ?? null, log })
    const adminAddress = await listen(admin, config.admin, 'PLANTAIN_ADMIN')
    const { graceSeconds, timeoutSeconds } = config.drain
    onLeave(async () => {
      await workers.leave((graceSeconds + timeoutSeconds) * 1000 + lateMs)
      await admin.close()
      await sandbox?.close()
    })
    await findFree(config.listen, 'PLANTAIN')
    const address = await workers.start()
    forgetTheStart(() => ({ underWay: 0, begun: 0 }))
    greet([...config.upstreams.map(({ name }) => name), ...(sandbox ? [sandboxName] : [])], address, adminAddress)
  } catch (error) {
    if (error instanceof WorkerFailed) process.exit(error.exitCode)
    await fail('the start failed', error)
  }
}

/** Loaded only where it serves: it costs memory. */
async function openSandbox(): Promise<{ readonly url: string; close(): Promise<void> }> {
  const { startSandbox } = await import('./sandbox/start.ts')
  const onFault = (error: unknown) => log.error('the sandbox failed at a request', { error: asError(error) })
  return startSandbox({ port: 0, host: '127.0.0.1', extraModels: config.models, onFault })
}

async function limitStore({ redisUrl, onStoreError, workers }: Config, log: Log): Promise<OpenStore> {
  return openLimitStore({
    redisUrl,
    onError: onStoreError,
    ...(role && { atFirst: { size: workers, place: role.task.place } }),
    observe: event => {
      if (event.what === 'connected') log.info('connected to Redis')
      else if (event.what === 'back') log.info('Redis answers again')
      else if (event.what === 'warning') {
        // All workers find the same about Redis: it is told once.
        if (!role?.task.place) log.warn(event.sentence)
      } else log.warn(`Redis is away: ${whileAway[onStoreError]} until it is back`, { reason: event.reason })
    },
  })
}

function tellOfUsage(trouble: string | null): void {
  if (trouble === null) log.info('usage is written to Redis again')
  else log.warn('usage cannot be written to Redis: it is kept here until it can', { reason: trouble })
}

function tellOfDefaultModel(modelToName: string): void {
  const { defaultModel } = config.answers
  const sentence = 'no upstream here serves answers.default_model: requests that name no model are answered with 404'
  log.warn(sentence, { defaultModel, served: modelToName })
}

/** To a terminal in sentences; to anything else as a line of the log. */
function greet(
  upstreamNames: readonly string[],
  address: string,
  adminAddress: string,
  modelToName: string | null = null,
): void {
  if (!process.stdout.isTTY) {
    log.info('listening', { address, adminAddress, upstreams: upstreamNames.join(', '), auth: config.auth, version })
    for (const notice of config.notices) log.info(notice)
    return
  }
  process.stdout.write(greeting(config, { version, address, adminAddress, upstreams: upstreamNames, modelToName }))
}

/** `work` is done, and the process ends, when it is told to. @returns the same for whoever wants it to end otherwise. */
function onLeave(work: () => Promise<void>): () => Promise<void> {
  const inGoodOrder = async () => {
    await work()
    await log.flush()
  }
  return leaveOnce(inGoodOrder, why => {
    if (!role) log.info('draining', why)
  })
}

async function drain(app: App, release: () => Promise<void>): Promise<void> {
  app.startDraining()
  await sleep(config.drain.graceSeconds * 1000)
  // Idle connections of callers would keep the listener open for as long as they please.
  const idle = setInterval(() => app.server.server.closeIdleConnections(), 100)
  const late = sleep(config.drain.timeoutSeconds * 1000, 'late', { ref: false })
  const closed = app.close()
  if ((await Promise.race([closed, late])) === 'late') {
    log.warn('exchanges are cut: they took longer than drain.timeout_s')
    app.server.server.closeAllConnections()
    await Promise.race([closed, sleep(cutMs)])
  }
  clearInterval(idle)
  await release()
}

async function fail(message: string, error: unknown): Promise<void> {
  if (failing) return
  failing = true
  log.fatal(message, { error: asError(error) })
  await log.flush()
  process.exit(1)
}

function secretsOf({ upstreams, admin, redisUrl, assets }: Config): readonly string[] {
  const { signingSecret, s3 } = assets
  const ofAssets = [signingSecret, s3?.accessKey ?? null, s3?.secretKey ?? null]
  return [...upstreams.flatMap(({ keys }) => keys), admin.token, redisUrl, ...ofAssets].filter(
    secret => secret !== null,
  )
}
