/** Thought signatures: opaque to callers, who must send them back unchanged with the picture they came with. */
import { createHash, randomBytes } from 'node:crypto'

const bodyBytes = 900
const sealOf = (body: Buffer) => createHash('sha256').update('plantain sandbox').update(body).digest()

export function createSignature(): Buffer {
  const body = randomBytes(bodyBytes)
  return Buffer.concat([body, sealOf(body)])
}

// Google documents these words for histories that another model wrote. They read as base64, and as such they arrive.
const waivers = ['skip_thought_signature_validator', 'context_engineering_is_the_way_to_go'].map(word =>
  Buffer.from(word, 'base64'),
)

/** False for what was altered on the way or signed elsewhere. */
export function isOurSignature(signature: Buffer): boolean {
  if (waivers.some(waiver => waiver.equals(signature))) return true
  const body = signature.subarray(0, bodyBytes)
  return sealOf(body).equals(signature.subarray(bodyBytes))
}
