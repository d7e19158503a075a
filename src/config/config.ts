/** The whole configuration, as the rest of the house sees it: defaults filled in, units in the names, deeply frozen. */
import type { DialectSetting, ProtocolSetting } from './vendors.ts'

export interface Config {
  readonly listen: {
    readonly host: string
    /** 0: any free port. */
    readonly port: number
    readonly maxBodyBytes: number
    readonly corsOrigins: readonly string[]
    /** What addresses in answers begin with, no slash at its end; null: where the listener is. */
    readonly publicUrl: string | null
  }
  readonly admin: { readonly host: string; readonly port: number; readonly token: string | null }
  readonly auth: 'keys' | 'open'
  readonly callers: readonly CallerConfig[]
  /** In the order written: routing prefers the earlier. */
  readonly upstreams: readonly UpstreamConfig[]
  readonly routing: readonly RouteConfig[]
  /** The built-in sandbox serves as the upstream `sandbox`. */
  readonly sandbox: boolean
  /** Redis for limits shared by several gateways; null: this process's memory. */
  readonly redisUrl: string | null
  /** What becomes of callers with limits while Redis does not answer. */
  readonly onStoreError: OnStoreError
  /** The time zone in which days and months of limits begin. */
  readonly limitsZone: string
  readonly answers: {
    readonly memoryBytes: number
    readonly spillBytes: number
    readonly spillDir: string
    /** The largest upstream document that is read. */
    readonly maxDocumentBytes: number
    /** A caller who takes no byte for this long is cut off. */
    readonly writeTimeoutSeconds: number
    readonly strictParameters: boolean
    readonly responseFormat: 'auto' | 'b64_json' | 'url'
    readonly legacyAliases: boolean
    readonly defaultModel: string
  }
  /** Pictures that are answered by URL. */
  readonly assets: AssetsConfig
  /** Bodies in flight, all together. */
  readonly requests: { readonly memoryBytes: number }
  readonly references: {
    /** Whom pictures are fetched from: anybody on the public internet, the hosts of `allow` alone, nobody. */
    readonly fetch: 'public' | 'allow-list' | 'off'
    /** `host`, `host:port` or `*.domain`: asked wherever they are, also without TLS. */
    readonly allow: readonly string[]
    /** Of each picture. */
    readonly maxBytes: number
    readonly maxCount: number
    /** For all fetches of a request together. */
    readonly timeoutSeconds: number
  }
  readonly drain: { readonly graceSeconds: number; readonly timeoutSeconds: number }
  readonly logLevel: LogLevel
  /** Processes that serve on this machine. With one, it is the process itself. */
  readonly workers: number
  /** Catalogue entries of the operator's own, in the form of config/models.yaml; checked by models/. */
  readonly models: readonly unknown[]
  /** What the start prints: what the environment made, and which of its variables mean nothing here. */
  readonly notices: readonly string[]
}

export interface AssetsConfig {
  readonly dir: string
  readonly ttlSeconds: number
  /** Of all pictures in the folder together. */
  readonly maxBytes: number
  /** Null: made, and kept in the folder. */
  readonly signingSecret: string | null
  /** A bucket in place of the folder. */
  readonly s3: S3Config | null
}

export interface S3Config {
  readonly bucket: string
  /** The server's root, no slash at its end. */
  readonly endpoint: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  /** Before the name of every object. */
  readonly prefix: string
  /** The bucket is named in the path, else before the host. */
  readonly pathStyle: boolean
}

/** `local-share`: each gateway counts its share by itself; budgets are closed even then. */
export type OnStoreError = 'local-share' | 'closed' | 'open'

export type LogLevel = 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent'

export interface CallerConfig {
  readonly id: string
  /** SHA-256 of the key, lower-case hex: the key itself is not kept. */
  readonly keySha256: string
  /** Names and patterns (`gemini-*`) the caller may use; null: all. */
  readonly models: readonly string[] | null
  readonly limits: CallerLimits
  /** Further limits for models whose id matches; the first pattern that does counts. Absent: none. */
  readonly modelLimits?: readonly ModelLimits[]
  /** Absent: is refused at once, as with a `max` of 0. */
  readonly queue?: CallerQueue
  /** Pays a caller who left for what the upstream finished? Absent: yes. */
  readonly chargeOnDisconnect?: boolean
}

/** Waiting for a limit instead of a refusal. */
export interface CallerQueue {
  /** Requests of the caller that wait at once, in each gateway. */
  readonly max: number
  /** Of one request, whatever it waits for. */
  readonly waitSeconds: number
}

/** Whose a limit is. */
export type LimitScope = 'caller' | 'caller-model' | 'upstream' | 'upstream-project' | 'upstream-key'

/** What it counts. */
export type LimitDimension =
  | 'requests'
  | 'requests-day'
  | 'images'
  | 'images-day'
  | 'tokens'
  | 'concurrent'
  | 'budget-day'
  | 'budget-month'

/** Absent: unlimited. */
export interface RateLimits {
  readonly requestsPerMinute?: number
  readonly requestsPerDay?: number
  readonly imagesPerDay?: number
  readonly concurrent?: number
}

export interface CallerLimits extends RateLimits {
  readonly imagesPerMinute?: number
  readonly tokensPerMinute?: number
  readonly budgetMicroUsdPerDay?: number
  readonly budgetMicroUsdPerMonth?: number
}

export type Limits = CallerLimits

export interface ModelLimits {
  /** `gemini-3-pro-*` */
  readonly model: string
  readonly limits: CallerLimits
}

export interface UpstreamConfig {
  readonly name: string
  readonly protocol: ProtocolSetting
  /** One that belongs to the protocol. */
  readonly dialect: DialectSetting
  /** No slash at its end. Gemini's and Azure's: a root; OpenAI's others: it ends in `/v1`. */
  readonly baseUrl: string
  /** Used in turn. Empty: calls carry Google's own credentials for `project`. */
  readonly keys: readonly string[]
  /** In the order of `keys`; absent: none has a project or limits. */
  readonly keySettings?: readonly KeySettings[]
  /** Of all calls to it; absent: unlimited. */
  readonly limits?: RateLimits
  /** Of the calls with the keys of one project, for each project; absent: unlimited. */
  readonly projectLimits?: RateLimits
  /** Of Google Cloud, for Vertex. */
  readonly project?: string
  readonly location?: string
  /** A service account's or a federation's; absent: what the environment and the machine offer (ADC). */
  readonly credentialsFile?: string
  /** Azure's; absent: its surface without versions. */
  readonly apiVersion?: string
  /** Our name → its name. Empty: the catalogue decides. */
  readonly models: ReadonlyMap<string, string>
  /** Sockets to it at most. */
  readonly connections: number
  readonly timeouts: {
    readonly connectSeconds: number
    readonly firstByteSeconds: number
    readonly idleSeconds: number
    readonly totalSeconds: number
  }
  readonly allowPrivateNetwork: boolean
}

export interface KeySettings {
  /** Keys of one project share its quota. Those without one count as of one project. */
  readonly project: string | null
  readonly limits: RateLimits
}

/** Upstreams for models whose name matches the pattern, best first. */
export interface RouteConfig {
  readonly model: string
  readonly upstreams: readonly string[]
}
