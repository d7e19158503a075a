/** A chat as one prompt and one list of pictures: OpenAI's images API knows neither turns nor standing instructions. */
import type { ImageRequest, Reference, Turn } from '../../images/request.ts'

/** In characters: contract of the images API, for every model of today. */
export const longestPrompt = 32_000

export interface Flattened {
  readonly prompt: string
  /** Eldest first; those of the request itself come last. */
  readonly images: readonly Reference[]
  /** Some of the chat's eldest pictures found no room in the list. */
  readonly isShortened: boolean
}

/** Pictures that were said in a turn are named in its text by their number in the list. `most`: the list has so many at most. */
export function flatten({ system, turns, prompt, images }: ImageRequest, most = Number.POSITIVE_INFINITY): Flattened {
  const said = turns.flatMap(turn => turn.images)
  const left = Math.max(0, said.length + images.length - most)
  let before = -left
  const told = turns.map(turn => {
    const text = tell(turn, before)
    before += turn.images.length
    return text
  })
  const now = told.length > 0 ? `The conversation so far:\n${told.join('\n')}\n\nNow: ${prompt}` : prompt
  return {
    prompt: system ? `${system}\n\n${now}` : now,
    images: [...said.slice(left), ...images],
    isShortened: left > 0,
  }
}

function tell({ role, text, images }: Turn, before: number): string {
  const numbers = images.map((_image, index) => before + index + 1)
  const pictures = numbers.map(number => (number > 0 ? `[picture ${number}]` : '[a picture that is not shown]'))
  return [role === 'user' ? 'User:' : 'You:', text, ...pictures].filter(Boolean).join(' ')
}
