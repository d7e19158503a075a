/** Sweeps a store now and then, for as long as the process lives, without keeping it alive. */
import type { AssetStore } from './store.ts'

const everyMs = 60_000
// Of a store with very many pictures, looking through it takes at most a hundredth of the time.
const restPerWork = 100

/** Begins at once. @returns ends it. */
export function startSweeping(store: Pick<AssetStore, 'sweep'>, onFault: (error: unknown) => void): () => void {
  let timer: NodeJS.Timeout | undefined
  let over = false
  const sweep = async () => {
    const startedMs = performance.now()
    await store.sweep().catch(onFault)
    const tookMs = performance.now() - startedMs
    if (!over) timer = setTimeout(() => void sweep(), Math.max(everyMs, tookMs * restPerWork)).unref()
  }
  void sweep()
  return () => {
    over = true
    clearTimeout(timer)
  }
}
