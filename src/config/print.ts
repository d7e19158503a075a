/** The whole configuration as YAML, in the file's own keys, with every default shown and every secret masked. */

import { stringify } from 'yaml'
import type { AssetsConfig, CallerConfig, Config, KeySettings, UpstreamConfig } from './config.ts'
import { limitFields } from './limits.ts'

const mask = '***'

/** What `print-config` prints. Hashes of keys are masked too: a weak key can be guessed from its hash. */
export function renderConfig(config: Config): string {
  const { listen, admin, answers, references, drain } = config
  const file = {
    listen: {
      host: listen.host,
      port: listen.port,
      max_body: sizeText(listen.maxBodyBytes),
      cors: { origins: listen.corsOrigins },
      public_url: listen.publicUrl ?? '',
    },
    admin: { host: admin.host, port: admin.port, token: admin.token === null ? '' : mask },
    auth: config.auth,
    callers: config.callers.map(callerFields),
    upstreams: Object.fromEntries(config.upstreams.map(upstream => [upstream.name, upstreamFields(upstream)])),
    routing: config.routing,
    store: { redis: config.redisUrl === null ? '' : maskedRedisUrl(config.redisUrl), on_error: config.onStoreError },
    limits: { zone: config.limitsZone },
    answers: {
      memory: sizeText(answers.memoryBytes),
      spill: sizeText(answers.spillBytes),
      spill_dir: answers.spillDir,
      max_document: sizeText(answers.maxDocumentBytes),
      write_timeout_s: answers.writeTimeoutSeconds,
      strict_parameters: answers.strictParameters,
      response_format: answers.responseFormat,
      legacy_aliases: answers.legacyAliases,
      default_model: answers.defaultModel,
    },
    assets: assetsFields(config.assets),
    requests: { memory: sizeText(config.requests.memoryBytes) },
    references: {
      fetch: references.fetch,
      allow: references.allow,
      max_bytes: sizeText(references.maxBytes),
      max_count: references.maxCount,
      timeout_s: references.timeoutSeconds,
    },
    drain: { grace_s: drain.graceSeconds, timeout_s: drain.timeoutSeconds },
    log: { level: config.logLevel },
    models: config.models,
  }
  const remarks = [
    ...config.notices,
    `the built-in sandbox ${config.sandbox ? 'serves' : 'does not serve'}`,
    ...(config.workers > 1
      ? [`${config.workers} processes serve; budgets of memory, disk and connections are theirs together`]
      : []),
  ]
  return `${remarks.map(remark => `# ${remark}\n`).join('')}${stringify(file, { lineWidth: 0, aliasDuplicateObjects: false })}`
}

function callerFields(caller: CallerConfig) {
  const { id, models, limits, modelLimits = [], queue, chargeOnDisconnect = true } = caller
  return {
    id,
    key_sha256: mask,
    ...(models !== null && { models }),
    limits: limitFields(limits),
    model_limits: Object.fromEntries(modelLimits.map(one => [one.model, limitFields(one.limits)])),
    ...(queue && { queue: { max: queue.max, wait_s: queue.waitSeconds } }),
    charge_on_disconnect: chargeOnDisconnect,
  }
}

function upstreamFields(upstream: UpstreamConfig) {
  const { connectSeconds, firstByteSeconds, idleSeconds, totalSeconds } = upstream.timeouts
  return {
    protocol: upstream.protocol,
    dialect: upstream.dialect,
    base_url: upstream.baseUrl,
    keys: upstream.keys.map((_, position) => keyFields(upstream.keySettings?.[position])),
    ...(upstream.project !== undefined && { project: upstream.project }),
    ...(upstream.location !== undefined && { location: upstream.location }),
    ...(upstream.credentialsFile !== undefined && { credentials: upstream.credentialsFile }),
    ...(upstream.apiVersion !== undefined && { api_version: upstream.apiVersion }),
    models: Object.fromEntries(upstream.models),
    connections: upstream.connections,
    timeouts: { connect_s: connectSeconds, first_byte_s: firstByteSeconds, idle_s: idleSeconds, total_s: totalSeconds },
    allow_private_network: upstream.allowPrivateNetwork,
    limits: limitFields(upstream.limits ?? {}),
    project_limits: limitFields(upstream.projectLimits ?? {}),
  }
}

function assetsFields({ dir, ttlSeconds, maxBytes, signingSecret, s3 }: AssetsConfig) {
  return {
    dir,
    ttl: `${ttlSeconds}s`,
    max_bytes: sizeText(maxBytes),
    signing_secret: signingSecret === null ? '' : mask,
    ...(s3 && {
      s3: {
        bucket: s3.bucket,
        endpoint: s3.endpoint,
        region: s3.region,
        access_key: mask,
        secret_key: mask,
        prefix: s3.prefix,
        path_style: s3.pathStyle,
      },
    }),
  }
}

function keyFields({ project, limits }: KeySettings = { project: null, limits: {} }) {
  const fields = limitFields(limits)
  if (project === null && Object.keys(fields).length === 0) return mask
  return { key: mask, ...(project !== null && { project }), limits: fields }
}

/** Host, port and database stay readable; user, password and whatever follows "?" may be secret. */
function maskedRedisUrl(redisUrl: string): string {
  const { protocol, username, password, host, pathname, search } = new URL(redisUrl)
  const credentials = username === '' && password === '' ? '' : `${mask}@`
  return `${protocol}//${credentials}${host}${pathname}${search === '' ? '' : `?${mask}`}`
}

function sizeText(bytes: number): string | number {
  const units = [
    ['GiB', 1024 ** 3],
    ['MiB', 1024 ** 2],
    ['KiB', 1024],
  ] as const
  const fitting = units.find(([, unitBytes]) => bytes > 0 && bytes % unitBytes === 0)
  return fitting === undefined ? bytes : `${bytes / fitting[1]}${fitting[0]}`
}
