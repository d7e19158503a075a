/** A request that is worked out to its last byte and not sent: what an upstream would get, told to the caller instead. */
import { createHash } from 'node:crypto'
import { type Bytes, bytesOfText, join } from '../images/bytes.ts'
import { GatewayError } from '../images/error.ts'
import { mediaTypeOf } from '../images/media-type.ts'
import { picturesUsd } from '../models/cost.ts'
import type { Upstream, UpstreamCall } from '../upstreams/upstream.ts'
import { readMultipart } from './multipart-parts.ts'
import type { Plan } from './plans.ts'
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
  #choice: ModelChoice | null = null
  #plan: Plan | null = null
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

  planned(plan: Plan | undefined): void {
    this.#plan = plan ?? null
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
      ignored: this.#ignored.map(name => ({ name, why: `${upstream ?? 'the upstream'} has no such parameter` })),
      estimated_cost_usd: this.#estimate(),
    }
    return bytesOfText(`${JSON.stringify(told, null, 2)}\n`)
  }

  /** Of the pictures alone: what the prompt and references cost is known only afterwards. */
  #estimate(): number | null {
    const model = this.#choice?.resolution.model
    return model && this.#plan ? picturesUsd(model, this.#plan.target) : null
  }

  #noting(upstream: Upstream): Upstream {
    const note = async (call: UpstreamCall, isStream: boolean): Promise<never> => {
      const { url, headers } = upstream.describe(call, isStream)
      this.#calls.push({
        upstream: upstream.name,
        method: call.method,
        url,
        headers,
        body: await describeBody(call),
      })
      throw new DryRunEnd()
    }
    return {
      name: upstream.name,
      describe: (call, isStream) => upstream.describe(call, isStream),
      hold: call => note(call, false),
      stream: call => note(call, true),
      relay: call => note(call, false),
      close: () => upstream.close(),
    }
  }
}

async function describeBody({ body, contentType = 'application/json' }: UpstreamCall): Promise<unknown> {
  if (!body) return null
  const bytes = await join(body)
  if (contentType.startsWith('multipart/')) {
    return readMultipart(bytes, contentType).map(({ content, ...part }) => ({
      ...part,
      value: describeContent(content),
    }))
  }
  return JSON.parse(bytes.toString(), (_key, value: unknown) =>
    typeof value === 'string' ? describeText(value) : value,
  )
}

function describeContent(content: Buffer): unknown {
  const type = mediaTypeOf(content.subarray(0, 32))
  return type === null ? content.toString() : describePicture(type, content)
}

// Shorter than any picture, longer than any name.
const shortest = 40

/** Text as it is, pictures in a few words. */
function describeText(text: string): unknown {
  if (text.length < shortest) return text
  const base64 = text.startsWith('data:') ? text.slice(text.indexOf(',') + 1) : text
  const type = mediaTypeOf(Buffer.from(base64.slice(0, 44), 'base64'))
  return type === null ? text : describePicture(type, Buffer.from(base64, 'base64'))
}

const describePicture = (type: string, content: Buffer) => ({
  picture: type,
  bytes: content.length,
  sha256: createHash('sha256').update(content).digest('hex'),
})
