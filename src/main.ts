/** The way in: what V8 compiles of the gateway is kept beside the modules, so that every start but the first takes half the time. */
import { enableCompileCache } from 'node:module'
import { fileURLToPath } from 'node:url'

// Before anything is loaded that is to come from there. A folder that can't be written is no failure: then nothing is kept.
enableCompileCache(
  process.env.NODE_COMPILE_CACHE ?? fileURLToPath(new URL('../node_modules/.cache/plantain', import.meta.url)),
)
await import('./process.ts')
