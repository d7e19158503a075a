/** A request that is worked out to its last byte and not sent: what an upstream would get, told to the caller instead. */
import { type Bytes, bytesOfText } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import type { ImageInput, ImageLink, ImageRequest } from '../images/request.ts'
import { type PicturesWanted, picturesUsd } from '../models/cost.ts'
import type { References } from '../references/references.ts'
import type { Upstream, UpstreamCall } from '../upstreams/upstream.ts'
import { describeBody } from './described-body.ts'
import type { ModelChoice } from './routing.ts'

/** Thrown where the call would go out. */
export class DryRunEnd extends GatewayError {
  constructor() {
    super('internal', 'The request was worked out and not sent.')
  }
}

interface WorkedOutCall {
  readonly upstream: string
  readonly method: string
  readonly url: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: unknown
}

export class DryRun {
  readonly #calls: WorkedOutCall[] = []
  /** By every form in which they go up. */
  readonly #standIns = new Map<string, string>()
  #choice: ModelChoice | null = null
  #wanted: PicturesWanted | null = null
  #ignored: readonly string[] = []

  /** Replaces the upstreams: what would be sent to them is noted here. */
  chosen(choice: ModelChoice): ModelChoice {
    this.#choice = choice
    const candidates = choice.candidates.map(candidate => ({
      ...candidate,
      upstream: this.#noting(candidate.upstream),
    }))
    return { ...choice, candidates }
  }

  /** Pictures that are named by their address are not fetched: something stands in for each, and is told as its address. */
  referencesFor({ mask }: ImageRequest): Pick<References, 'fetch' | 'isAllowed'> {
    return {
      fetch: async links => {
        if (mask && links.length > 0) throw fetchesNothing()
        return { images: links.map(link => this.#standIn(link)), release: () => {} }
      },
      isAllowed: () => false,
    }
  }

  /** What limits would have been asked for. */
  wants(wanted: PicturesWanted): void {
    this.#wanted = wanted
  }

  ignores(names: readonly string[]): void {
    this.#ignored = names
  }

  /** The answer to the caller. */
  explain(): Bytes {
    const { resolution, candidates } = this.#choice ?? {}
    const upstream = this.#calls[0]?.upstream
    const told = {
      dry_run: true,
      model: resolution && {
        asked: resolution.asked,
        id: resolution.id,
        known: resolution.model !== null,
        ...(resolution.successorOf !== undefined && { stands_in_for: resolution.successorOf }),
      },
      upstreams: candidates?.map(candidate => candidate.upstream.name),
      calls: this.#calls,
      ignored: this.#ignored.map(name => ({
        name,
        why: `it has no effect on this call to ${upstream ?? 'the upstream'}`,
      })),
      estimated_cost_usd: this.#estimate(),
    }
    return bytesOfText(`${JSON.stringify(told, null, 2)}\n`)
  }

  /** Of the pictures alone: what the prompt and references cost is known only afterwards. */
  #estimate(): number | null {
    const model = this.#choice?.resolution.model
    return model && this.#wanted ? picturesUsd(model, this.#wanted) : null
  }

  #standIn({ url }: ImageLink): ImageInput {
    const text = `the picture at ${url}`
    const base64 = Buffer.from(text).toString('base64')
    this.#standIns.set(text, url).set(base64, url).set(`data:image/png;base64,${base64}`, url)
    return { mediaType: 'image/png', base64: bytesOfText(base64) }
  }

  #noting(upstream: Upstream): Upstream {
    const note = async (call: UpstreamCall, isStream: boolean): Promise<never> => {
      const { url, headers } = upstream.describe(call, isStream)
      this.#calls.push({
        upstream: upstream.name,
        method: call.method,
        url,
        headers,
        body: await describeBody(call, this.#standIns),
      })
      throw new DryRunEnd()
    }
    return {
      name: upstream.name,
      describe: (call, isStream) => upstream.describe(call, isStream),
      hold: call => note(call, false),
      stream: call => note(call, true),
      relay: call => note(call, call.isStream ?? false),
      scrub: text => upstream.scrub(text),
      close: () => upstream.close(),
    }
  }
}

function fetchesNothing(): GatewayError {
  const sentence =
    'A dry run fetches no pictures, and an edit within a mask is put together from them. Send the mask and its picture as files.'
  return new GatewayError('invalid-request', sentence, { param: 'mask' })
}
