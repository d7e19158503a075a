/** Pictures as objects of an S3-compatible bucket, named `<prefix><expiry>-<id>.png`: listed in order, the expired ones come first. */
import { type Bytes, bytesOf } from '../images/bytes.ts'
import { decodeBase64, decodedLength } from '../streams/base64-decoder.ts'
import { createS3Client, isGood, type S3Client, S3Error, type S3Params, type S3Request } from './s3-client.ts'
import {
  type AssetName,
  type AssetStore,
  type AssetStoreParams,
  cannotStore,
  keptName,
  type OpenAsset,
  parseKeptName,
  sweptAfterSeconds,
} from './store.ts'

export interface S3StoreParams extends S3Params, AssetStoreParams {
  /** Before every name; below it lies nothing else. Of letters, digits and `/ . _ -`. */
  readonly prefix: string
}

// Each chunk is fresh, since nobody knows when the socket is done with it.
const chunkBytes = 192 * 1024
const removedAtOnce = 16
const puts = 2

export function createS3Store(params: S3StoreParams): AssetStore {
  return new S3Store(params)
}

class S3Store implements AssetStore {
  readonly #client: S3Client
  readonly #prefix: string
  readonly #nowSeconds: () => number
  readonly #onFault: (error: unknown) => void
  /** The last picture was stored, so the next will be. */
  #works = false

  constructor(params: S3StoreParams) {
    this.#client = createS3Client(params)
    this.#prefix = params.prefix
    this.#nowSeconds = params.nowSeconds
    this.#onFault = params.onFault
  }

  /** Room is the bucket's own matter: what is asked here is whether it takes anything at all. */
  async reserve(): Promise<() => void> {
    try {
      if (!this.#works) await this.#probe()
      this.#works = true
    } catch (error) {
      this.#onFault(error)
      throw cannotStore(error)
    }
    return () => {}
  }

  async put(name: AssetName, base64: Bytes, signal: AbortSignal): Promise<void> {
    const length = await decodedLength(base64)
    const body: Bytes = {
      length,
      slices: () => decodeBase64(base64, () => Buffer.allocUnsafeSlow(chunkBytes)),
      slice: () => {
        throw new Error('A picture on its way to the bucket is sent whole.')
      },
    }
    const headers = { 'content-type': name.mediaType }
    try {
      await this.#put({ method: 'PUT', key: this.#keyOf(name), headers, body, signal })
      this.#works = true
    } catch (error) {
      this.#works = false
      // It may be there in spite of the error.
      await this.remove(name).catch(() => {})
      throw error
    }
  }

  async open(name: AssetName): Promise<OpenAsset | null> {
    const request = { method: 'HEAD', key: this.#keyOf(name) } as const
    const answer = await this.#client.ask(request)
    if (answer.status === 404) return null
    const length = Number(answer.headers['content-length'])
    if (!isGood(answer.status) || !Number.isSafeInteger(length)) throw new S3Error(request, answer)
    return { bytes: this.#stretch(request.key, 0, length), close: async () => {} }
  }

  async remove(name: AssetName): Promise<void> {
    await this.#delete(this.#keyOf(name))
  }

  async sweep(): Promise<void> {
    for (;;) {
      const expired = (await this.#firstNames()).filter(
        ({ expiresSeconds }) => expiresSeconds + sweptAfterSeconds <= this.#nowSeconds(),
      )
      if (expired.length === 0) return
      for (let at = 0; at < expired.length; at += removedAtOnce) {
        await Promise.all(expired.slice(at, at + removedAtOnce).map(name => this.remove(name)))
      }
    }
  }

  close(): Promise<void> {
    return this.#client.close()
  }

  async #probe(): Promise<void> {
    const key = `${this.#prefix}probe`
    await this.#put({ method: 'PUT', key, body: bytesOf() })
    await this.#delete(key)
  }

  #keyOf(name: AssetName): string {
    return this.#prefix + keptName(name)
  }

  #stretch(key: string, start: number, length: number): Bytes {
    const range = { range: `bytes=${start}-${start + length - 1}` }
    return {
      length,
      slices: () => (length === 0 ? [] : this.#client.read({ method: 'GET', key, headers: range })),
      slice: (from, size) => this.#stretch(key, start + from, size),
    }
  }

  /** Servers ask to come again, and connections break: a picture that is paid for is worth a second try. */
  async #put(request: S3Request): Promise<void> {
    let failure: unknown
    for (let attempt = 0; attempt < puts; attempt++) {
      try {
        const answer = await this.#client.ask(request)
        if (isGood(answer.status)) return
        failure = new S3Error(request, answer)
        if (answer.status < 500 && answer.status !== 429) break
      } catch (error) {
        request.signal?.throwIfAborted()
        failure = error
      }
    }
    throw failure
  }

  async #delete(key: string): Promise<void> {
    const request = { method: 'DELETE', key } as const
    const answer = await this.#client.ask(request)
    if (!isGood(answer.status) && answer.status !== 404) throw new S3Error(request, answer)
  }

  /** A page of the bucket's list: at most a thousand names. */
  async #firstNames(): Promise<readonly AssetName[]> {
    const request: S3Request = { method: 'GET', query: { 'list-type': '2', prefix: this.#prefix } }
    const answer = await this.#client.ask(request)
    if (!isGood(answer.status)) throw new S3Error(request, answer)
    // The end of a key is in our own alphabet, so there is nothing in it that XML would escape.
    const ends = answer.text.matchAll(/(\d{10}-[0-9a-f]{32}\.[a-z]{3,4})<\/Key>/g)
    return [...ends].flatMap(([, end = '']) => parseKeptName(end) ?? [])
  }
}
