/** Which hosts pictures may be fetched from, by name and port. Where names lead is the dialler's matter (net/guarded-connector.ts). */
import { isIP } from 'node:net'
import { bareHost, type DialTarget, targetOf } from '../net/dial-target.ts'
import type { Guard } from '../net/guarded-connector.ts'

/** `public`: https hosts of the public internet and those that are listed; `allow-list`: those that are listed; `off`: none. */
export type FetchMode = 'public' | 'allow-list' | 'off'

/**
 * `allow`: `host` (ports 80 and 443), `host:port` or `*.domain`, all of which may be private and without TLS.
 * `off` concerns what callers ask for: an upstream's answers are fetched nevertheless.
 */
export function createGuard(mode: FetchMode, allow: readonly string[]): Guard {
  const entries = allow.map(parseEntry)
  return target => {
    if (entries.some(entry => matches(entry, target))) return 'trusted'
    return mode === 'public' && mayBePublic(target) ? 'checked' : 'refused'
  }
}

/** Also lets through whatever stands at this origin: where a configured upstream is. */
export function alsoAt(origin: string, guard: Guard): Guard {
  const { protocol, hostname, port } = targetOf(new URL(origin))
  return target =>
    target.protocol === protocol && target.hostname === hostname && target.port === port ? 'trusted' : guard(target)
}

interface Entry {
  /** With its leading dot where it stands for the names below it. */
  readonly host: string
  /** Null: the usual ones. */
  readonly port: number | null
}

const usualPorts = [80, 443]

function parseEntry(text: string): Entry {
  const [, star = '', host = '', port] = /^(\*(?=\.))?(.*?)(?::(\d+))?$/.exec(text) ?? []
  return {
    host:
      star === ''
        ? bareHost(new URL(`http://${host}`).hostname)
        : bareHost(new URL(`http://x${host}`).hostname).slice(1),
    port: port === undefined ? null : Number(port),
  }
}

function matches({ host, port }: Entry, target: DialTarget): boolean {
  const isHost = host.startsWith('.') ? target.hostname.endsWith(host) : target.hostname === host
  return isHost && (port === null ? usualPorts.includes(target.port) : target.port === port)
}

// Names that lead to this machine or its network wherever they are asked for, the metadata services of clouds among them.
const insideNames = /(^|\.)(localhost|local|internal|intranet|lan|home|corp|localdomain|home\.arpa)$/

function mayBePublic({ protocol, hostname, port }: DialTarget): boolean {
  if (protocol !== 'https:' || port !== 443) return false
  return isIP(hostname) !== 0 || (hostname.includes('.') && !insideNames.test(hostname))
}
