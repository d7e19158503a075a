/** Pictures that are answered by URL: stored, given an address, and found again by it. */
import type { Painting } from '../images/result.ts'
import type { AddressBook } from './signed-url.ts'
import { type AssetName, type AssetStore, newName, type OpenAsset } from './store.ts'
import { startSweeping } from './sweeping.ts'

export interface AssetsParts {
  readonly store: AssetStore
  readonly addresses: AddressBook
  readonly ttlSeconds: number
  /** Since the epoch. */
  readonly nowSeconds: () => number
  /** What stands before an address's path: `https://images.example.com`. */
  readonly publicUrl: () => string
  readonly onFault: (error: unknown) => void
}

/** Pictures that somebody can fetch from now on. */
export interface Publication {
  /** In the order of the pictures. */
  readonly urls: readonly string[]
  /** Takes the pictures back: nobody was told where they are. Never rejects. */
  withdraw(): Promise<void>
}

export interface FoundAsset extends OpenAsset {
  readonly name: AssetName
  /** How much longer it lives. */
  readonly secondsLeft: number
}

export interface Assets {
  /**
   * Keeps room for so many pictures until the function it returns is called. Asked for before a call that costs money.
   * @throws GatewayError `overloaded`.
   */
  reserve(pictures: number): Promise<() => void>
  /** Stores all of them, or none. @throws what a store's `put` throws. */
  publish(paintings: readonly Pick<Painting, 'base64' | 'mediaType'>[], signal: AbortSignal): Promise<Publication>
  /** Null: nobody can tell whether there ever was one. Else it must be closed. */
  find(path: string, query: URLSearchParams): Promise<FoundAsset | null>
  /** Could pictures be stored, when that was last tried? It is tried with every sweep, so the answer changes once a minute at most. */
  usable(): boolean
  close(): Promise<void>
}

export function createAssets({ store, addresses, ttlSeconds, nowSeconds, publicUrl, onFault }: AssetsParts): Assets {
  let usable = true
  let closed = false
  const stopSweeping = startSweeping({ sweep: () => store.sweep().finally(look) }, onFault)

  async function look(): Promise<void> {
    if (closed) return
    usable = await store.reserve(1).then(
      giveBack => {
        giveBack()
        return true
      },
      () => false,
    )
  }

  async function withdraw(names: readonly AssetName[]): Promise<void> {
    await Promise.all(names.map(name => store.remove(name).catch(onFault)))
  }

  return {
    reserve: pictures => store.reserve(pictures),

    async publish(paintings, signal) {
      // A whole second is the least an address can say, and nobody should get less than was promised.
      const expiresSeconds = Math.ceil(nowSeconds() + ttlSeconds)
      const named = paintings.map(painting => ({ name: newName(painting.mediaType, expiresSeconds), painting }))
      const names = named.map(({ name }) => name)
      const stored = await Promise.allSettled(
        named.map(({ name, painting }) => store.put(name, painting.base64, signal)),
      )
      const failure = stored.find(result => result.status === 'rejected')
      if (failure) {
        await withdraw(names)
        throw failure.reason
      }
      return { urls: names.map(name => publicUrl() + addresses.addressOf(name)), withdraw: () => withdraw(names) }
    },

    async find(path, query) {
      const name = addresses.read(path, query)
      const found = name && (await store.open(name))
      return found && { ...found, name, secondsLeft: Math.floor(name.expiresSeconds - nowSeconds()) }
    },

    usable: () => usable,

    async close() {
      closed = true
      stopSweeping()
      await store.close()
    },
  }
}
