/** The pictures of a stream while they come: which one is a draft and told as such, which may be the answer, which can go. */
import type { ImagePart, Painting } from '../images/result.ts'
import type { WireEvent } from '../protocols/protocol.ts'
import { develop, type ImageOf } from './collect.ts'

/** Shows a draft to the caller; `index` counts from 0. The draft is held until this settles. */
export type ShowDraft = (draft: Painting, index: number) => Promise<void>

/** Which drafts a caller wants to see: so many at most. */
export interface WantedDrafts {
  readonly most: number
  readonly show: ShowDraft
}

export type HeldEvent = WireEvent & { release(): void }

/** A picture that nothing stands in the place of yet. */
interface Standing {
  readonly part: ImageOf
  readonly letGo: () => void
  /** Settles when the caller has it, as far as it was shown at all. */
  shown: Promise<void> | null
}

// A model that talks without end is not listened to for ever.
const mostTexts = 1000

/**
 * Of each index one picture stands: the last that is no thought, else the last thought. Thoughts are drafts when they come;
 * a picture that is no thought turns out to be one when another takes its place.
 */
export class Drafts {
  readonly #most: number
  readonly #show: ShowDraft
  readonly #standing = new Map<number, Standing>()
  readonly #others: ImagePart[] = []
  #texts = 0
  #count = 0
  #isDocument = false

  constructor({ most, show }: WantedDrafts) {
    this.#most = most
    this.#show = show
  }

  /** Takes an event over, with what it was decoded to. */
  async take(event: HeldEvent, decode: (event: HeldEvent) => Promise<readonly ImagePart[]>): Promise<void> {
    if (event.name === null) this.#isDocument = true
    let parts: readonly ImagePart[] = []
    try {
      parts = await decode(event)
    } finally {
      if (!parts.some(part => part.type === 'image')) event.release()
    }
    const letGo = afterCalls(parts.filter(part => part.type === 'image').length, event.release)
    for (const part of parts) {
      if (part.type === 'image') await this.#stand({ part, letGo, shown: null })
      else if (part.type !== 'text' || ++this.#texts <= mostTexts) this.#others.push(part)
    }
  }

  /** The last event came. A document that is no event is whole anyway. */
  get isWhole(): boolean {
    return this.#isDocument || this.#others.some(({ type }) => type === 'finish')
  }

  /** What the stream came to, without the pictures that can't be its answer. */
  get parts(): readonly ImagePart[] {
    return [...[...this.#standing.values()].map(({ part }) => part), ...this.#others]
  }

  /** Frees everything, each picture once it was shown. */
  release(): void {
    for (const picture of this.#standing.values()) release(picture)
    this.#standing.clear()
  }

  async #stand(picture: Standing): Promise<void> {
    const { index, thought } = picture.part
    const before = this.#standing.get(index)
    if (thought && before && !before.part.thought) {
      picture.letGo()
      return
    }
    this.#standing.set(index, picture)
    if (before) {
      if (!before.part.thought) await this.#tell(before)
      release(before)
    }
    if (thought) await this.#tell(picture)
  }

  async #tell(picture: Standing): Promise<void> {
    if (this.#count >= this.#most) return
    const draft = await developed(picture.part)
    // Whoever reads drafts gets pictures or nothing: what is none is no failure yet.
    if (draft) picture.shown = this.#show(draft, this.#count++).catch(() => {})
  }
}

async function developed(part: ImageOf) {
  try {
    return await develop(part)
  } catch {
    return null
  }
}

const release = ({ shown, letGo }: Standing) => void (shown ?? Promise.resolve()).then(letGo)

/** Calls `last` when it was called so often itself. */
function afterCalls(times: number, last: () => void): () => void {
  let left = times
  return () => {
    left -= 1
    if (left === 0) last()
  }
}
