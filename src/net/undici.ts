/**
 * The pieces of undici that are used here, taken from its own files: its index loads fetch, web sockets, caches and mocks
 * too, which costs memory and time of the start. Its version is pinned, as these paths are no promise of its.
 */
import { createRequire } from 'node:module'
import type * as Undici from 'undici'

const load = createRequire(import.meta.url)

export const Pool = load('undici/lib/dispatcher/pool.js') as typeof Undici.Pool
/** As `buildConnector`, whose name the types keep. */
export const undiciConnector = load('undici/lib/core/connect.js') as typeof Undici.buildConnector
