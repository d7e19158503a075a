/** Bytes made here that wait to be sent: counted with the answers that are held, so that those make room for them. */
import { type Bytes, isInMemory } from '../images/bytes.ts'
import type { HoldingPlaces } from './held-document.ts'

/** Counts bytes that lie in memory already, until the function that comes back is called; it may be called again. */
export function keepBytes({ memory, spill }: HoldingPlaces, bytes: Bytes): () => void {
  const slices = bytes.slices()
  const pieces = isInMemory(slices) ? [...slices] : []
  const holder = {}
  spill.line.enter(holder)
  for (const piece of pieces) memory.retain(piece)
  return () => {
    for (const piece of pieces.splice(0)) memory.release(piece)
    spill.line.leave(holder)
  }
}
