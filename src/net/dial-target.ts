/** Where a connection for an address goes, in the one spelling that is guarded, dialled and compared. */

/** Where a connection would go. */
export interface DialTarget {
  readonly protocol: 'http:' | 'https:'
  /** As the URL parser normalises it, an IPv6 address without its brackets, a name without a dot at its end. */
  readonly hostname: string
  readonly port: number
}

/** `port`: empty where it is the usual one. */
export function targetOf({ protocol, hostname, port }: Readonly<Record<keyof DialTarget, string>>): DialTarget {
  const isTls = protocol === 'https:'
  return {
    protocol: isTls ? 'https:' : 'http:',
    hostname: bareHost(hostname),
    port: port ? Number(port) : isTls ? 443 : 80,
  }
}

/** A host as it is compared: without an IPv6 address's brackets, without a dot at its end, in lower case. */
export const bareHost = (hostname: string): string =>
  hostname
    .replace(/^\[|\]$/g, '')
    .replace(/\.+$/, '')
    .toLowerCase()
