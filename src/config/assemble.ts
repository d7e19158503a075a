/** What was read, in the words and units of the house. */

import { resolve } from 'node:path'
import type { AssetsConfig, CallerConfig, Config, RouteConfig, S3Config, UpstreamConfig } from './config.ts'
import { frozenMap } from './frozen.ts'
import { hashKey } from './keys.ts'
import { toLimits } from './limits.ts'
import type { Entry, ReadTree } from './read-tree.ts'
import type { CallerFields, FileFields, S3Fields, UpstreamFields } from './schema.ts'
import { type DialectSetting, type ProtocolSetting, usualDialect, vendorOf, vertexBaseUrl } from './vendors.ts'

/** Of a tree without mistakes. `cwd`: where relative directories begin. */
export function assemble(
  { fields, callers, upstreams, routes }: ReadTree,
  { sandbox, workers }: Pick<Config, 'sandbox' | 'workers'>,
  notices: readonly string[],
  cwd: string,
): Config {
  const { listen, admin, auth, store, answers, assets, requests, references, limits, drain, log, models } = fields
  return {
    listen: {
      host: listen.host,
      port: listen.port,
      maxBodyBytes: listen.max_body,
      corsOrigins: listen.cors.origins,
      publicUrl: listen.public_url ?? null,
    },
    admin: { host: admin.host, port: admin.port, token: admin.token ?? null },
    auth: auth ?? (callers.length > 0 ? 'keys' : 'open'),
    callers: whole(callers).map(toCaller),
    upstreams: [...upstreams].flatMap(([name, { whole }]) =>
      whole === undefined ? [] : [toUpstream(name, whole, cwd)],
    ),
    routing: whole(routes).map(({ model, upstreams }): RouteConfig => ({ model, upstreams })),
    sandbox,
    redisUrl: store.redis ?? null,
    onStoreError: store.on_error,
    limitsZone: limits.zone,
    answers: {
      memoryBytes: answers.memory,
      spillBytes: answers.spill,
      spillDir: resolve(cwd, answers.spill_dir),
      maxDocumentBytes: answers.max_document,
      writeTimeoutSeconds: answers.write_timeout_s,
      strictParameters: answers.strict_parameters,
      responseFormat: answers.response_format,
      legacyAliases: answers.legacy_aliases,
      defaultModel: answers.default_model,
    },
    assets: toAssets(assets, cwd),
    requests: { memoryBytes: requests.memory },
    references: {
      fetch: references.fetch,
      allow: references.allow,
      maxBytes: references.max_bytes,
      maxCount: references.max_count,
      timeoutSeconds: references.timeout_s,
    },
    drain: { graceSeconds: drain.grace_s, timeoutSeconds: drain.timeout_s },
    logLevel: log.level,
    workers,
    models,
    notices,
  }
}

function whole<T>(entries: readonly Entry<T>[]): readonly T[] {
  return entries.flatMap(({ whole }) => (whole === undefined ? [] : [whole]))
}

function toCaller(fields: CallerFields): CallerConfig {
  const { id, key, key_sha256, models, limits, model_limits, queue, charge_on_disconnect } = fields
  return {
    id,
    keySha256: key_sha256 ?? hashKey(key ?? ''),
    models: models ?? null,
    limits: toLimits(limits),
    modelLimits: Object.entries(model_limits).map(([model, written]) => ({ model, limits: toLimits(written) })),
    queue: { max: queue.max, waitSeconds: queue.wait_s },
    chargeOnDisconnect: charge_on_disconnect,
  }
}

/** Of a dialect that has one: checks.ts asks for it where there is none. */
function usualBaseUrl(protocol: ProtocolSetting, dialect: DialectSetting, location: string | undefined): string {
  return dialect === 'vertex' ? vertexBaseUrl(location) : (vendorOf(protocol, dialect)?.baseUrl ?? '')
}

function toAssets({ dir, ttl, max_bytes, signing_secret, s3 }: FileFields['assets'], cwd: string): AssetsConfig {
  return {
    dir: resolve(cwd, dir),
    ttlSeconds: ttl,
    maxBytes: max_bytes,
    signingSecret: signing_secret ?? null,
    s3: s3 ? toS3(s3) : null,
  }
}

function toS3({ bucket, endpoint, region, access_key, secret_key, prefix, path_style }: S3Fields): S3Config {
  return { bucket, endpoint, region, accessKey: access_key, secretKey: secret_key, prefix, pathStyle: path_style }
}

function toUpstream(name: string, fields: UpstreamFields, cwd: string): UpstreamConfig {
  const { connect_s, first_byte_s, idle_s, total_s } = fields.timeouts
  const { keys = [], protocol, project, location, credentials, api_version } = fields
  const dialect = fields.dialect ?? usualDialect[protocol]
  return {
    name,
    protocol,
    dialect,
    baseUrl: fields.base_url ?? usualBaseUrl(protocol, dialect, location),
    keys: keys.map(({ key }) => key),
    keySettings: keys.map(({ project: ofKey, limits }) => ({ project: ofKey, limits })),
    limits: toLimits(fields.limits),
    projectLimits: toLimits(fields.project_limits),
    ...(project !== undefined && { project }),
    ...(location !== undefined && { location }),
    ...(credentials !== undefined && credentials !== 'adc' && { credentialsFile: resolve(cwd, credentials) }),
    ...(api_version !== undefined && { apiVersion: api_version }),
    models: frozenMap(Object.entries(fields.models)),
    connections: fields.connections,
    timeouts: { connectSeconds: connect_s, firstByteSeconds: first_byte_s, idleSeconds: idle_s, totalSeconds: total_s },
    allowPrivateNetwork: fields.allow_private_network,
  }
}
