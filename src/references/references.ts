/** Pictures that are named by their address: those of a request before it is sent, and those of an upstream's answer. */
import { asError, GatewayError, type Outcome, outcomeOf } from '../images/error.ts'
import type { ImageInput, ImageLink } from '../images/request.ts'
import type { BufferPool } from '../memory/buffer-pool.ts'
import type { Room } from '../memory/room.ts'
import { targetOf } from '../net/dial-target.ts'
import type { Resolve } from '../net/guarded-connector.ts'
import { type Allotment, allot } from './allotment.ts'
import { FetchError, type FetchedImage, fetchImage, roomInTime } from './fetch-image.ts'
import { alsoAt, createGuard, type FetchMode } from './guard.ts'

export interface ReferencesParts {
  readonly fetch: FetchMode
  /** Hosts that may be asked wherever they are: `host`, `host:port`, `*.domain`. */
  readonly allow: readonly string[]
  /** Of each reference. */
  readonly maxBytes: number
  /** Of each picture of an answer. */
  readonly maxAnswerBytes: number
  /** For all references of a request together. */
  readonly timeoutMs: number
  readonly room: Room
  readonly buffers: BufferPool
  readonly userAgent: string
  /** Called at the end of every fetch of a reference. */
  readonly observe: (facts: FetchFacts) => void
  /** Absent: the system's name servers. */
  readonly resolve?: Resolve
  /** Certificates to trust beside the system's, PEM. */
  readonly ca?: string | undefined
}

/** What became of one fetch. `why` is for the operator alone: to a caller it would tell what stands in the operator's network. */
export interface FetchFacts {
  readonly outcome: Outcome
  /** As the caller named it. */
  readonly host: string
  readonly why: string
}

export interface FetchedReferences {
  /** In the order of their links. */
  readonly images: readonly ImageInput[]
  /** They are read no more. May be called again. */
  release(): void
}

export interface References {
  /**
   * Fetches them side by side, all or none.
   * @throws GatewayError that names the field of the link at fault, and nothing else of why it failed.
   */
  fetch(links: readonly ImageLink[], signal: AbortSignal): Promise<FetchedReferences>
  /** The operator has named its host: outside this network, nobody may be able to reach it. */
  isAllowed(url: string): boolean
  /**
   * Fetches a picture of an upstream's answer, from the public internet or from where the upstream itself is.
   * @throws GatewayError `upstream-failed` without the address: vendors' addresses are not for callers.
   */
  fetchAnswer(url: string, upstreamOrigin: string, signal: AbortSignal): Promise<FetchedImage>
}

type FetchedInput = ImageInput & { release(): void }

const connectMs = 5_000
// A paid picture is worth a longer wait than a caller's.
const answerMs = 60_000
const mostAtOnce = 4

export function createReferences(parts: ReferencesParts): References {
  const { maxBytes, maxAnswerBytes, timeoutMs, observe } = parts
  const guard = createGuard(parts.fetch, parts.allow)
  const answerGuard = createGuard('public', parts.allow)
  const bounds = { ...parts, connectMs }

  async function fetchLink(
    { url, param }: ImageLink,
    allotment: Allotment,
    signal: AbortSignal,
  ): Promise<FetchedInput> {
    try {
      const image = asInput(await fetchImage(url, { ...bounds, room: allotment, guard, signal }))
      observe({ outcome: 'ok', host: hostOf(url), why: '' })
      return image
    } catch (error) {
      // It is fetched anew.
      if (allotment.missedBytes !== null) throw error
      observe({ outcome: outcomeOfFetch(error), host: hostOf(url), why: reasonOf(error) })
      throw toldCaller(error, param)
    }
  }

  /** As often as it takes to know how much room they need. */
  async function fetchLinks(links: readonly ImageLink[], signal: AbortSignal): Promise<FetchedReferences> {
    for (let bytes = 0; ; ) {
      const allotment = await roomInTime(allot(parts.room, bytes, links.length === 1, signal))
      try {
        const images = await fetchSideBySide(links, allotment, signal)
        return {
          images,
          release: () => {
            for (const image of images) image.release()
            allotment.release()
          },
        }
      } catch (error) {
        allotment.release()
        if (allotment.missedBytes === null) throw error
        bytes = allotment.missedBytes
      }
    }
  }

  /** @throws what `fetchLink` threw first. */
  async function fetchSideBySide(
    links: readonly ImageLink[],
    allotment: Allotment,
    signal: AbortSignal,
  ): Promise<readonly FetchedInput[]> {
    const images: FetchedInput[] = []
    const stop = new AbortController()
    const either = AbortSignal.any([signal, stop.signal])
    let [next, failure]: [number, unknown] = [0, null]
    const worker = async () => {
      for (let at = next++; at < links.length && failure === null; at = next++) {
        const link = links[at]
        try {
          if (link) images[at] = await fetchLink(link, allotment, either)
        } catch (error) {
          failure ??= error
          stop.abort(new GatewayError('caller-left', 'Another picture of the request did not come.'))
        }
      }
    }
    await Promise.all(Array.from({ length: mostAtOnce }, worker))
    if (failure === null) return images
    for (const image of Object.values(images)) image.release()
    throw failure
  }

  function toldCaller(error: unknown, param: string): unknown {
    if (!(error instanceof FetchError)) return error
    switch (error.why) {
      case 'too-large':
        return new GatewayError('too-large', `'${param}' is larger than the ${maxBytes} bytes a picture may have.`, {
          param,
        })
      case 'no-picture':
        return invalid(`Invalid picture '${param}': ${error.message}.`, param)
      default:
        return invalid(unfetchable(param, parts.fetch), param)
    }
  }

  return {
    async fetch(links, signal) {
      if (parts.fetch === 'off' && links[0]) throw notFetched(links[0].param)
      return await within(timeoutMs, signal, limited => fetchLinks(links, limited))
    },

    isAllowed: url => URL.canParse(url) && guard(targetOf(new URL(url))) === 'trusted',

    async fetchAnswer(url, upstreamOrigin, signal) {
      const limits = { ...bounds, maxBytes: maxAnswerBytes, guard: alsoAt(upstreamOrigin, answerGuard) }
      try {
        return await within(answerMs, signal, limited => fetchImage(url, { ...limits, signal: limited }))
      } catch (error) {
        if (error instanceof GatewayError) throw error
        const message = "The upstream's picture could not be fetched from where the upstream put it."
        throw new GatewayError('upstream-failed', message, { cause: error })
      }
    },
  }
}

function asInput({ mediaType, base64, release }: FetchedImage): FetchedInput {
  if (mediaType !== 'image/gif') return { mediaType, base64, release }
  release()
  throw new FetchError('no-picture', 'gif is not supported; send png, jpeg, webp, heic or heif')
}

/** Runs the work under a signal that aborts with the given one, or with a FetchError when time is up. */
async function within<Result>(
  timeMs: number,
  signal: AbortSignal,
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  signal.throwIfAborted()
  const controller = new AbortController()
  const leave = () => controller.abort(signal.reason)
  const timer = setTimeout(() => controller.abort(new FetchError('timeout', 'It took too long.')), timeMs)
  signal.addEventListener('abort', leave, { once: true })
  try {
    return await work(controller.signal)
  } finally {
    clearTimeout(timer)
    signal.removeEventListener('abort', leave)
  }
}

/** One sentence for all that may be wrong: it must not tell whether anybody is there. */
function unfetchable(param: string, mode: FetchMode): string {
  const where =
    mode === 'public'
      ? 'a public https address that answers quickly with a picture'
      : 'an address that this gateway may fetch from, and that answers quickly with a picture'
  return `The picture at '${param}' could not be fetched. It must be at ${where}; else send a file, a data URL or base64 text.`
}

const notFetched = (param: string) =>
  new GatewayError(
    'unsupported-parameter',
    'Pictures are not fetched by URL by this gateway. Send a file, a data URL or base64 text.',
    { param },
  )

const invalid = (message: string, param: string) =>
  new GatewayError('invalid-request', message, { param, code: 'invalid_image' })

function outcomeOfFetch(error: unknown): Outcome {
  if (!(error instanceof FetchError)) return outcomeOf(error)
  return error.why === 'refused' || error.why === 'timeout' ? error.why : 'failed'
}

const hostOf = (url: string) => URL.parse(url)?.host ?? ''

function reasonOf(error: unknown): string {
  const { message, cause } = asError(error)
  return cause instanceof Error ? `${message} ${cause.message}` : message
}
