/** A file of a multipart form, as base64 text: encoded while it was read, kept in the order of the form. */
import type { Bytes } from '../images/bytes.ts'

export class Upload {
  readonly base64: Bytes

  constructor(base64: Bytes) {
    this.base64 = base64
  }
}
