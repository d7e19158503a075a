/** sharp's door. It is loaded with the first picture, so that a gateway which touches no pixels does not carry it. */
import type { Sharp, SharpOptions } from 'sharp'

type Open = (input: string | Uint8Array, options?: SharpOptions) => Sharp

let loading: Promise<Open> | undefined

/** sharp's constructor. All its work runs on threads of its own; what it decodes is let go at once. */
export function loadSharp(): Promise<Open> {
  loading ??= import('sharp').then(({ default: sharp }) => {
    sharp.cache(false)
    return sharp
  })
  return loading
}
