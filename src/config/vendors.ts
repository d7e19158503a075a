/** Which vendors' dialects there are in each protocol, and what their upstreams need. */

export const protocols = ['gemini', 'openai'] as const
export type ProtocolSetting = (typeof protocols)[number]

export const dialects = ['google', 'vertex', 'zenlayer', 'openai', 'azure', 'nano-banana', 'aimlapi'] as const
export type DialectSetting = (typeof dialects)[number]

interface Vendor {
  /** Absent: every installation has its own. */
  readonly baseUrl?: string
  /** What the base address ends in; absent: a root. */
  readonly ending?: '/v1'
  /** Its root, or that of one of its surfaces: what it ends in says which. */
  readonly anyEnding?: true
}

const v1 = '/v1'

const vendors: Readonly<Record<ProtocolSetting, Readonly<Partial<Record<DialectSetting, Vendor>>>>> = {
  gemini: {
    google: { baseUrl: 'https://generativelanguage.googleapis.com' },
    // Each location has a host of its own: see vertexBaseUrl.
    vertex: { baseUrl: 'https://aiplatform.googleapis.com' },
    zenlayer: { baseUrl: 'https://gateway.theturbo.ai' },
  },
  openai: {
    openai: { baseUrl: 'https://api.openai.com/v1', ending: v1 },
    azure: { anyEnding: true },
    zenlayer: { baseUrl: 'https://gateway.theturbo.ai/v1', ending: v1 },
    'nano-banana': { ending: v1 },
    aimlapi: { baseUrl: 'https://api.aimlapi.com/v1', ending: v1 },
  },
}

/** Undefined: no vendor of that dialect speaks the protocol. */
export const vendorOf = (protocol: ProtocolSetting, dialect: DialectSetting): Vendor | undefined =>
  vendors[protocol][dialect]

export const dialectsOf = (protocol: ProtocolSetting): readonly string[] => Object.keys(vendors[protocol])

/** What an upstream speaks whose dialect is not written. */
export const usualDialect: Readonly<Record<ProtocolSetting, DialectSetting>> = { gemini: 'google', openai: 'openai' }

/** Vertex' hosts: the global location has the name alone. https://cloud.google.com/vertex-ai/docs/general/locations */
export function vertexBaseUrl(location: string | undefined): string {
  return location === undefined || location === 'global'
    ? 'https://aiplatform.googleapis.com'
    : `https://${location}-aiplatform.googleapis.com`
}
