/** The sandbox with everything in it: the catalogue's models, and a painter. */
import { loadCatalogue } from '../models/catalogue.ts'
import { readShippedCatalogue } from '../models/shipped.ts'
import { sandboxModels } from './catalogue-models.ts'
import { createPainter } from './painter.ts'
import { createSandbox, type ListeningSandbox } from './server.ts'

export interface StartParams {
  /** 0: any free port. */
  readonly port: number
  readonly host: string
  /** The operator's own catalogue entries (`models:` of gateway.yaml). */
  readonly extraModels?: readonly unknown[]
  /** Told of what should never happen; the caller gets Google's 500. */
  readonly onFault?: (error: unknown) => void
}

export interface StartedSandbox extends ListeningSandbox {
  /** Ids, in the catalogue's order. */
  readonly models: readonly string[]
}

/** Throws where the port is taken or the catalogue has mistakes. */
export async function startSandbox({ port, host, extraModels = [], onFault }: StartParams): Promise<StartedSandbox> {
  const models = sandboxModels(loadCatalogue(readShippedCatalogue(), extraModels))
  const sandbox = createSandbox({ models, painter: createPainter(), ...(onFault && { onFault }) })
  const { url, close } = await sandbox.listen(port, host)
  return { url, close, models: models.map(({ id }) => id) }
}
