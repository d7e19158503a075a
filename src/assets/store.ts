/** Where pictures lie that are answered by URL: the contract of a store, and how a picture in it is named. */
import { randomBytes } from 'node:crypto'
import type { Bytes } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { MediaType } from '../images/media-type.ts'

/** What a picture is called, to the store and in its address. It says by itself how long the picture lives. */
export interface AssetName {
  /** 128 random bits in hex: nobody guesses one. */
  readonly id: string
  readonly mediaType: MediaType
  /** Since the epoch. From then on it is as if it had never been. */
  readonly expiresSeconds: number
}

/** A picture that is being read. Being swept meanwhile does not end the reading. */
export interface OpenAsset {
  readonly bytes: Bytes
  close(): Promise<void>
}

/** What any store is told. */
export interface AssetStoreParams {
  /** Since the epoch. */
  readonly nowSeconds: () => number
  /** Hears why pictures can't be stored: callers are not told. */
  readonly onFault: (error: unknown) => void
}

export interface AssetStore {
  /**
   * Makes sure that so many more pictures can be stored, before money is spent on them, and keeps room for them until the
   * function it returns is called. Writes nothing. @throws GatewayError `overloaded` where they can't be.
   */
  reserve(pictures: number): Promise<() => void>
  /**
   * Stores a picture, given as standard padded base64. Until it is all there and safe, nobody finds it; where this fails,
   * nothing of it is left. @throws NotBase64Error, the signal's reason, or whatever kept it from being stored.
   */
  put(name: AssetName, base64: Bytes, signal: AbortSignal): Promise<void>
  /** Null: there is none. Whether it has expired is not asked here. */
  open(name: AssetName): Promise<OpenAsset | null>
  /** Nothing happens where it is not there. */
  remove(name: AssetName): Promise<void>
  /** Takes away what has expired, and what crashed processes left behind. */
  sweep(): Promise<void>
  close(): Promise<void>
}

const extensions: Readonly<Record<MediaType, string>> = {
  'image/png': 'png',
  'image/jpeg': 'jpg',
  'image/webp': 'webp',
  'image/gif': 'gif',
  'image/heic': 'heic',
  'image/heif': 'heif',
}
const mediaTypes = new Map(Object.entries(extensions).map(([type, extension]) => [extension, type as MediaType]))

/** For a picture that is to be stored. */
export const newName = (mediaType: MediaType, expiresSeconds: number): AssetName => ({
  id: randomBytes(16).toString('hex'),
  mediaType,
  expiresSeconds,
})

/** `4f…9c.png`: as it stands in an address. */
export const publicName = ({ id, mediaType }: AssetName): string => `${id}.${extensions[mediaType]}`

const publicForm = /^([0-9a-f]{32})\.([a-z]{3,4})$/

/** Null: it is no such name. */
export function parsePublicName(text: string): Omit<AssetName, 'expiresSeconds'> | null {
  const [, id, extension] = publicForm.exec(text) ?? []
  const mediaType = mediaTypes.get(extension ?? '')
  return id && mediaType ? { id, mediaType } : null
}

/** `1790000000-4f…9c.png`: as a store keeps it. In the order of these names the first to expire comes first. */
export const keptName = (name: AssetName): string => `${name.expiresSeconds}-${publicName(name)}`

const keptForm = /^(\d{10})-([0-9a-f]{32}\.[a-z]{3,4})$/

/** Null: no store keeps a picture by that name. */
export function parseKeptName(text: string): AssetName | null {
  const [, seconds, rest] = keptForm.exec(text) ?? []
  const name = parsePublicName(rest ?? '')
  return name && { ...name, expiresSeconds: Number(seconds) }
}

/** A picture that has just expired is kept a little longer: gateways' clocks differ, and reading takes time. */
export const sweptAfterSeconds = 60

/** Told before a call that costs money. */
export const cannotStore = (cause: unknown): GatewayError =>
  new GatewayError('overloaded', 'Pictures cannot be stored at the moment. Try again later.', {
    retryAfterMs: 10_000,
    cause,
  })
