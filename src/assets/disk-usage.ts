/** How much of the quota the pictures in a folder take, as far as this process knows: others may write there too. */
import { GatewayError } from '../images/error.ts'

// What is above it is for those who were let in before: their pictures may be larger than was guessed.
const watermark = 0.9
// A picture of 2K, more or less. How large one is shows only when it is painted.
const guessedBytes = 4 * 1024 * 1024
// The OpenAI SDKs take a longer wait for none, and ask again within seconds.
const longestWaitSeconds = 60

export class DiskUsage {
  readonly #maxBytes: number
  #storedBytes = 0
  #reservedBytes = 0
  #addedSinceCount = 0
  #earliestExpirySeconds = Number.POSITIVE_INFINITY

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes
  }

  get full(): boolean {
    return this.#storedBytes + this.#reservedBytes >= this.#maxBytes * watermark
  }

  /** @returns gives the room back; may be called again. */
  reserve(pictures: number): () => void {
    let bytes = pictures * guessedBytes
    this.#reservedBytes += bytes
    return () => {
      this.#reservedBytes -= bytes
      bytes = 0
    }
  }

  get reservedBytes(): number {
    return this.#reservedBytes
  }

  add(bytes: number): void {
    this.#storedBytes += bytes
    this.#addedSinceCount += bytes
  }

  remove(bytes: number): void {
    this.#storedBytes -= bytes
  }

  startCount(): void {
    this.#addedSinceCount = 0
  }

  /** What the folder holds. What was added while it was counted is counted twice, until the next time. */
  counted(bytes: number, earliestExpirySeconds: number): void {
    this.#storedBytes = bytes + this.#addedSinceCount
    this.#earliestExpirySeconds = earliestExpirySeconds
  }

  /** For whoever finds no room: when there may be some. */
  refusal(nowSeconds: number): GatewayError {
    const seconds = Math.min(longestWaitSeconds, Math.max(1, this.#earliestExpirySeconds - nowSeconds))
    return new GatewayError(
      'overloaded',
      "There is no room for another picture that is answered by URL. Try again later, or use response_format 'b64_json'.",
      { retryAfterMs: seconds * 1000 },
    )
  }
}
