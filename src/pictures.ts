/** Where pictures come from and go to beside the answers themselves: references fetched by their address, answers stored to have one. */

import { type Assets, createAssets } from './assets/assets.ts'
import { createDiskStore } from './assets/disk-store.ts'
import { sharedSecret } from './assets/secret.ts'
import { createAddressBook } from './assets/signed-url.ts'
import type { Config } from './config/config.ts'
import { asError } from './images/error.ts'
import type { BufferPool } from './memory/buffer-pool.ts'
import type { Room } from './memory/room.ts'
import { createReferences, type References } from './references/references.ts'
import type { Log } from './telemetry/log.ts'
import type { Metrics } from './telemetry/metrics.ts'

export interface AssetParts {
  readonly log: Pick<Log, 'error'>
  /** Since the epoch: pictures expire by it. */
  readonly nowSeconds: () => number
  /** Where the public listener is, for addresses where no public one is configured. */
  readonly ownUrl: () => string
}

/** @throws Error where the folder can't be made. */
export async function openAssets({ listen, assets }: Config, { log, nowSeconds, ownUrl }: AssetParts): Promise<Assets> {
  const { dir, ttlSeconds, maxBytes, signingSecret, s3 } = assets
  const onFault = (error: unknown) => log.error('the store of pictures failed', { error: asError(error) })
  return createAssets({
    store: s3
      ? (await import('./assets/s3-store.ts')).createS3Store({ ...s3, nowSeconds, onFault })
      : createDiskStore({ directory: dir, maxBytes, nowSeconds, onFault }),
    addresses: createAddressBook(signingSecret ?? sharedSecret(dir), nowSeconds),
    ttlSeconds,
    nowSeconds,
    publicUrl: () => listen.publicUrl ?? ownUrl(),
    onFault,
  })
}

export interface ReferenceParts {
  readonly log: Pick<Log, 'debug'>
  readonly metrics: Pick<Metrics, 'referenceFetch'>
  readonly room: Room
  readonly buffers: BufferPool
  readonly version: string
  /** Certificates to trust beside the system's, PEM. */
  readonly ca: string | undefined
}

export function openReferences(
  { references: { fetch, allow, maxBytes, timeoutSeconds }, answers }: Config,
  { log, metrics, room, buffers, version, ca }: ReferenceParts,
): References {
  return createReferences({
    room,
    buffers,
    fetch,
    allow,
    maxBytes,
    maxAnswerBytes: answers.maxDocumentBytes,
    timeoutMs: timeoutSeconds * 1000,
    userAgent: `plantain/${version}`,
    ...(ca && { ca }),
    observe: ({ outcome, host, why }) => {
      metrics.referenceFetch(outcome)
      if (outcome !== 'ok') log.debug('a reference picture was not fetched', { host, outcome, why })
    },
  })
}
