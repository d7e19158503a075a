/** One bucket of an S3-compatible server: requests signed by aws4fetch, sent by net/. aws4fetch's own `fetch` can't send a body of known length in pieces. */
import { AwsV4Signer } from 'aws4fetch'
import type { Bytes } from '../images/bytes.ts'
import { createPool, type HttpPool, type HttpRequest, type ResponseHead, type TakeChunk } from '../net/pool.ts'

export interface S3Params {
  readonly bucket: string
  /** The server's root: `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: string
  readonly region: string
  readonly accessKey: string
  readonly secretKey: string
  /** The bucket stands in the path; else before the host. */
  readonly pathStyle: boolean
}

export interface S3Request {
  readonly method: 'GET' | 'HEAD' | 'PUT' | 'DELETE'
  /** Of letters, digits and `/ . _ -`; absent: the bucket itself. */
  readonly key?: string
  readonly query?: Readonly<Record<string, string>>
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Bytes
  readonly signal?: AbortSignal
}

export interface S3Answer extends ResponseHead {
  readonly text: string
}

/** The server refused, or answered nonsense. Says what it said, for the log. */
export class S3Error extends Error {
  override readonly name = 'S3Error'
  readonly status: number

  constructor({ method }: S3Request, { status, text }: S3Answer) {
    super(`The bucket answered ${status} to a ${method}. ${text.slice(0, 500)}`.trim())
    this.status = status
  }
}

export interface S3Client {
  /** The answer with all of its body, which must be a small one. @throws whatever kept it from coming. */
  ask(request: S3Request): Promise<S3Answer>
  /** The body of an answer, chunk by chunk, as fast as it is read. @throws S3Error where the answer is not of the 200s. */
  read(request: S3Request): AsyncGenerator<Buffer>
  close(): Promise<void>
}

const mostAnswerBytes = 8 * 1024 * 1024

export function createS3Client(params: S3Params): S3Client {
  const { origin, basePath } = placeOf(params)
  // The operator named the server: it may well be on a private network.
  const pool: HttpPool = createPool(origin, {
    connections: 64,
    connectMs: 5_000,
    firstByteMs: 30_000,
    idleMs: 30_000,
    totalMs: 300_000,
    allowPrivateNetwork: true,
  })
  const sign = createSign(params, origin, basePath)

  async function send(request: S3Request, signal: AbortSignal, onHead: (head: ResponseHead) => TakeChunk) {
    const signed: HttpRequest = { ...(await sign(request)), body: request.body ?? null, signal }
    await pool.send(signed, onHead)
  }

  return {
    async ask(request) {
      let head: ResponseHead | undefined
      const body = new SmallBody()
      await send(request, request.signal ?? new AbortController().signal, answered => {
        head = answered
        return chunk => body.take(chunk)
      })
      if (!head) throw new Error('The bucket answered nothing.')
      return { ...head, text: body.text() }
    },

    async *read(request) {
      const reader = new AbortController()
      const refusal = new SmallBody()
      let status = 0
      const chunks = inTurn(push =>
        send(request, reader.signal, head => {
          status = head.status
          return isGood(status) ? push : chunk => refusal.take(chunk)
        }),
      )
      try {
        yield* chunks
        if (!isGood(status)) throw new S3Error(request, { status, headers: {}, text: refusal.text() })
      } finally {
        reader.abort()
      }
    },

    close: () => pool.close(),
  }
}

/** Of the 200s. */
export const isGood = (status: number): boolean => status >= 200 && status < 300

/** Where requests for the bucket go: host and the start of every path. */
export function placeOf({ endpoint, bucket, pathStyle }: Pick<S3Params, 'endpoint' | 'bucket' | 'pathStyle'>): {
  origin: string
  basePath: string
} {
  const url = new URL(endpoint)
  const root = url.pathname.replace(/\/$/, '')
  if (pathStyle) return { origin: url.origin, basePath: `${root}/${bucket}` }
  return { origin: `${url.protocol}//${bucket}.${url.host}`, basePath: root }
}

type Signed = Pick<HttpRequest, 'method' | 'path' | 'headers'>

function createSign(params: S3Params, origin: string, basePath: string): (request: S3Request) => Promise<Signed> {
  // The key of the day, which takes four hashes to make.
  const cache = new Map<string, ArrayBuffer>()
  return async ({ method, key, query = {}, headers = {} }) => {
    const path = key === undefined ? basePath || '/' : `${basePath}/${key}`
    const url = new URL(origin + path)
    for (const [name, value] of Object.entries(query)) url.searchParams.set(name, value)
    const signer = new AwsV4Signer({
      method,
      url: url.href,
      // TLS vouches for the body: hashing it would mean to read it twice.
      headers: { ...headers, 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD' },
      accessKeyId: params.accessKey,
      secretAccessKey: params.secretKey,
      region: params.region,
      service: 's3',
      cache,
    })
    const signed = await signer.sign()
    return {
      method,
      path: signed.url.pathname + signed.url.search,
      headers: Object.fromEntries(signed.headers),
    }
  }
}

class SmallBody {
  readonly #chunks: Buffer[] = []
  #length = 0

  take(chunk: Buffer): undefined {
    this.#length += chunk.length
    if (this.#length > mostAnswerBytes) throw new Error('The bucket sent an answer that is far too long.')
    this.#chunks.push(chunk)
    return undefined
  }

  text(): string {
    return Buffer.concat(this.#chunks).toString('utf8')
  }
}

/** What is pushed, to be pulled: each push settles when its chunk was taken. */
async function* inTurn(fill: (push: TakeChunk) => Promise<void>): AsyncGenerator<Buffer> {
  const waiting: { readonly chunk: Buffer; readonly taken: () => void }[] = []
  let wake = () => {}
  let over = false
  const filled = fill(
    chunk =>
      new Promise(taken => {
        waiting.push({ chunk, taken })
        wake()
      }),
  ).finally(() => {
    over = true
    wake()
  })
  // Awaited below, once what came before it was taken.
  filled.catch(() => {})
  for (;;) {
    const next = waiting.shift()
    if (next) {
      yield next.chunk
      next.taken()
    } else if (over) {
      return await filled
    } else {
      await new Promise<void>(resolve => {
        wake = resolve
      })
    }
  }
}
