/** Addresses of pictures: whoever has one may fetch the picture until it expires, and nobody can make one up. */
import { createHmac, timingSafeEqual } from 'node:crypto'
import { type AssetName, parsePublicName, publicName } from './store.ts'

/** Below it, the picture's name. */
export const assetFolder = '/v1/assets/'

export interface AddressBook {
  /** Path and query. */
  addressOf(name: AssetName): string
  /** Null: it is no address of ours, or was changed, or has expired. */
  read(path: string, query: URLSearchParams): AssetName | null
}

/** `nowSeconds`: since the epoch. */
export function createAddressBook(secret: string, nowSeconds: () => number): AddressBook {
  const signatureOf = (name: AssetName) =>
    createHmac('sha256', secret)
      .update(`${publicName(name)}\n${name.expiresSeconds}`)
      .digest()

  return {
    addressOf: name => {
      const query = `exp=${name.expiresSeconds}&sig=${signatureOf(name).toString('base64url')}`
      return `${assetFolder}${publicName(name)}?${query}`
    },
    read: (path, query) => {
      if (!path.startsWith(assetFolder)) return null
      const named = parsePublicName(path.slice(assetFolder.length))
      const seconds = query.get('exp') ?? ''
      if (!named || !/^\d{10}$/.test(seconds)) return null
      const name = { ...named, expiresSeconds: Number(seconds) }
      const signature = query.get('sig') ?? ''
      // As text: two spellings of one base64url would be two addresses of one picture.
      const expected = Buffer.from(signatureOf(name).toString('base64url'))
      const given = Buffer.from(signature)
      if (given.length !== expected.length || !timingSafeEqual(given, expected)) return null
      return name.expiresSeconds > nowSeconds() ? name : null
    },
  }
}
