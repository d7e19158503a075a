/** Where the catalogue that comes with the product lies. */
import { readFileSync } from 'node:fs'

/** The text of config/models.yaml. The same two steps up lead there from src/models/ and from a compiled dist/models/. */
export function readShippedCatalogue(): string {
  return readFileSync(new URL('../../config/models.yaml', import.meta.url), 'utf8')
}
