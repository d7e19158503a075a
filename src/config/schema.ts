/** The keys of config/gateway.yaml: their shapes, bounds and defaults. What two keys mean together is checks.ts's matter. */

import { z } from 'zod'
import { allowedHostFault, hostFault, parseBaseUrl, parsePublicUrl } from './address.ts'
import type { RateLimits } from './config.ts'
import { duration, field, list, oneOf, seconds, section, size, table, text, toggle, wholeNumber } from './fields.ts'
import { keyFault } from './keys.ts'
import { callerLimitsSchema, rateLimitsSchema, toLimits } from './limits.ts'
import { dialects, protocols } from './vendors.ts'

const port = () => wholeNumber({ min: 0, max: 65_535 })

const host = () => text('a host name or an IP address', hostFault)
const secret = () => text('a text', keyFault)

const name = (what: string) =>
  text(what, value =>
    /^[A-Za-z][A-Za-z0-9._-]{0,63}$/.test(value)
      ? null
      : `must be ${what}: letters, digits, ".", "_" and "-", a letter first`,
  )

const modelName = () =>
  text('the name of a model', value => (/^\S+$/.test(value) ? null : 'must be a name without spaces'))

const baseUrl = field<string>(input => {
  if (typeof input !== 'string') return { fault: 'must be an address like https://host.example' }
  const parsed = parseBaseUrl(input)
  return 'url' in parsed ? { value: parsed.url } : parsed
})

const address = (example: string) =>
  field<string>(input => {
    const parsed = typeof input === 'string' ? parsePublicUrl(input) : { fault: 'must be an address' }
    return 'url' in parsed ? { value: parsed.url } : { fault: `${parsed.fault}, like ${example}` }
  })

const signingSecret = text('a text', value =>
  value.length < 32 ? 'must have at least 32 characters, for instance what "openssl rand -hex 32" prints' : null,
)

export const s3Schema = section({
  bucket: text('the name of a bucket', value =>
    /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/.test(value) ? null : 'must be the name of a bucket: a-z, 0-9, "." and "-"',
  ),
  endpoint: address('https://s3.eu-central-1.amazonaws.com or http://127.0.0.1:9000'),
  region: name('a region').default('us-east-1'),
  access_key: secret(),
  secret_key: secret(),
  prefix: text('a text', value =>
    /^(?!\/)[A-Za-z0-9/._-]{0,200}$/.test(value)
      ? null
      : 'must consist of letters, digits and / . _ -, and not begin with /',
  ).default('plantain/'),
  path_style: toggle().default(true),
})

const redisUrl = text('an address like redis://host:6379', value =>
  /^rediss?:\/\/[^/]/.test(value) && URL.canParse(value)
    ? null
    : 'must be an address like redis://host:6379 or rediss://…',
)

const origin = text('an origin like https://app.example.com', value =>
  value === '*' || (URL.canParse(value) && /^https?:\/\//.test(value) && new URL(value).origin === value)
    ? null
    : 'must be an origin like https://app.example.com: scheme and host in lower case, no path, no slash at its end; or "*"',
)

const zone = text('the name of a time zone', value => {
  try {
    new Intl.DateTimeFormat('en', { timeZone: value })
    return null
  } catch {
    return 'must be the name of a time zone, like America/Los_Angeles or UTC'
  }
})

const sha256 = text('a text', value =>
  /^[0-9a-f]{64}$/i.test(value) ? null : 'must be 64 hex digits: "npm run plantain -- hash-key" prints them',
).transform(hex => hex.toLowerCase())

/** It becomes a piece of an address, or of a key in Redis. */
const placeFault = (value: string) =>
  /^[A-Za-z0-9:._-]{1,64}$/.test(value) ? null : 'may have letters, digits, ".", "_", ":" and "-"'

const keyWithProject = section({
  key: secret(),
  project: text('the name of a project', placeFault).optional(),
  limits: rateLimitsSchema.optional(),
})

export interface UpstreamKey {
  readonly key: string
  readonly project: string | null
  readonly limits: RateLimits
}

/** One entry of an upstream's `keys`; the keys of one text are separated by commas, as in GEMINI_API_KEY. */
const upstreamKeys = z.unknown().transform((input, context): readonly UpstreamKey[] => {
  const parsed =
    typeof input === 'string' ? { data: { key: input }, error: undefined } : keyWithProject.safeParse(input)
  if (parsed.error !== undefined) {
    for (const issue of parsed.error.issues)
      context.addIssue({ code: 'custom', message: issue.message, path: issue.path })
    return z.NEVER
  }
  const keys = splitKeys(parsed.data?.key ?? '')
  const fault = keys.map(keyFault).find(found => found !== null)
  if (fault !== undefined && fault !== null) context.addIssue(fault)
  const { project, limits }: Partial<z.infer<typeof keyWithProject>> = parsed.data ?? {}
  return keys.map(key => ({ key, project: project ?? null, limits: toLimits(limits ?? {}) }))
})

/** Comma-separated, as the variables hold them. */
export function splitKeys(value: string): readonly string[] {
  return value.split(',').flatMap(key => (key.trim() === '' ? [] : [key.trim()]))
}

export const callerSchema = section({
  id: name('a name'),
  key: secret().optional(),
  key_sha256: sha256.optional(),
  models: list(modelName(), 'nano-banana-2, "gemini-*"')
    .refine(models => models.length > 0, 'allows no model at all: leave it out to allow every model')
    .optional(),
  limits: callerLimitsSchema.prefault({}),
  model_limits: table(callerLimitsSchema, '"gemini-3-pro-*": { images_per_day: 100 }').default({}),
  // Every request that waits holds its body, and a connection on which nothing is heard for so long.
  queue: section({
    max: wholeNumber({ min: 0, max: 10_000 }).default(0),
    wait_s: seconds({ most: 3600 }).default(30),
  }).prefault({}),
  charge_on_disconnect: toggle().default(true),
})

export const upstreamSchema = section({
  protocol: oneOf(protocols),
  dialect: oneOf(dialects).optional(),
  base_url: baseUrl.optional(),
  // biome-ignore lint/suspicious/noTemplateCurlyInString: an example of what to write
  keys: list(upstreamKeys, '"${GEMINI_API_KEY}"')
    .transform(keys => keys.flat())
    .refine(keys => keys.length > 0, 'needs at least one key')
    .optional(),
  project: text('the id of a Google Cloud project', placeFault).optional(),
  location: text('a location like global or europe-west1', placeFault).optional(),
  credentials: text('"adc" or the path of a file').optional(),
  api_version: text('a version like 2025-04-01-preview', placeFault).optional(),
  models: table(modelName(), 'our-name: its-name').default({}),
  connections: wholeNumber({ min: 1, max: 65_535 }).default(1024),
  timeouts: section({
    connect_s: seconds().default(5),
    first_byte_s: seconds().default(300),
    idle_s: seconds().default(60),
    total_s: seconds().default(600),
  }).prefault({}),
  allow_private_network: toggle().default(false),
  limits: rateLimitsSchema.prefault({}),
  project_limits: rateLimitsSchema.prefault({}),
})

/** Of an upstream, which the file has as a key. */
export const upstreamName = name('a name')

export const routeSchema = section({
  model: modelName(),
  upstreams: list(
    field<string>(input => {
      if (Array.isArray(input))
        return { fault: 'upstreams of equal rank are not served by this version yet: write one list' }
      return typeof input === 'string' ? { value: input } : { fault: 'must be the name of an upstream' }
    }),
    'google',
  ).refine(upstreams => upstreams.length > 0, 'needs at least one upstream'),
})

/** Callers, upstreams and routes are read one by one, so that a mistake in one does not hide the next. */
export const fileSchema = section(
  {
    listen: section({
      host: host().default('127.0.0.1'),
      port: port().default(8080),
      max_body: size().default(100 * 1024 ** 2),
      cors: section({ origins: list(origin, 'https://app.example.com').default([]) }).prefault({}),
      public_url: address('https://images.example.com').optional(),
    }).prefault({}),
    admin: section({
      host: host().default('127.0.0.1'),
      port: port().default(8081),
      token: secret().optional(),
    }).prefault({}),
    auth: oneOf(['keys', 'open']).optional(),
    callers: list(z.unknown(), '{ id: team-a, key: … }').default([]),
    upstreams: table(z.unknown(), 'google: { … }').default({}),
    routing: list(z.unknown(), '{ model: "*", upstreams: [google] }').default([]),
    store: section({
      redis: redisUrl.optional(),
      on_error: oneOf(['local-share', 'closed', 'open']).default('local-share'),
    }).prefault({}),
    answers: section({
      memory: size().default(256 * 1024 ** 2),
      spill: size({ orZero: true }).default(2 * 1024 ** 3),
      spill_dir: text('a directory').default('./data/spill'),
      max_document: size().default(256 * 1024 ** 2),
      write_timeout_s: seconds().default(60),
      strict_parameters: toggle().default(false),
      response_format: oneOf(['auto', 'b64_json', 'url']).default('auto'),
      legacy_aliases: toggle().default(true),
      default_model: modelName().default('nano-banana-2'),
    }).prefault({}),
    assets: section({
      dir: text('a directory').default('./data/assets'),
      ttl: duration({ maxSeconds: 30 * 86_400 }).default(3600),
      // One picture of 4K may take as much: below it, nothing could be stored any more once one was.
      max_bytes: size({ least: '16MiB' }).default(10 * 1024 ** 3),
      signing_secret: signingSecret.optional(),
      s3: s3Schema.optional(),
    }).prefault({}),
    requests: section({ memory: size().default(512 * 1024 ** 2) }).prefault({}),
    references: section({
      fetch: oneOf(['public', 'allow-list', 'off']).default('public'),
      allow: list(
        text('a host', value => allowedHostFault(value)),
        '10.0.0.5:8000, "*.example.com"',
      ).default([]),
      max_bytes: size().default(50 * 1024 ** 2),
      max_count: wholeNumber({ min: 0, max: 1000 }).default(16),
      timeout_s: seconds().default(10),
    }).prefault({}),
    limits: section({ zone: zone.default('America/Los_Angeles') }).prefault({}),
    drain: section({
      grace_s: seconds({ orZero: true }).default(0),
      timeout_s: seconds({ orZero: true }).default(630),
    }).prefault({}),
    log: section({ level: oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).default('info') }, [
      'prompts',
    ]).prefault({}),
    models: list(z.unknown(), '{ id: … }').default([]),
  },
  ['retry'],
)

export type FileFields = z.infer<typeof fileSchema>
export type CallerFields = z.infer<typeof callerSchema>
export type UpstreamFields = z.infer<typeof upstreamSchema>
export type S3Fields = z.infer<typeof s3Schema>
export type RouteFields = z.infer<typeof routeSchema>
