/** A chat as one prompt and one list of pictures: OpenAI's images API knows neither turns nor standing instructions. */
import type { ImageRequest, Reference, Turn } from '../../images/request.ts'

export interface Flattened {
  readonly prompt: string
  /** Eldest first; those of the request itself come last. */
  readonly images: readonly Reference[]
}

/** Pictures that were said in a turn are named in its text by their number in the list. */
export function flatten({ system, turns, prompt, images }: ImageRequest): Flattened {
  const all: Reference[] = []
  const told = turns.map(turn => {
    const text = tell(turn, all.length)
    all.push(...turn.images)
    return text
  })
  const now = told.length > 0 ? `The conversation so far:\n${told.join('\n')}\n\nNow: ${prompt}` : prompt
  return {
    prompt: system ? `${system}\n\n${now}` : now,
    images: [...all, ...images],
  }
}

function tell({ role, text, images }: Turn, before: number): string {
  const pictures = images.map((_image, index) => `[picture ${before + index + 1}]`)
  return [role === 'user' ? 'User:' : 'You:', text, ...pictures].filter(Boolean).join(' ')
}
