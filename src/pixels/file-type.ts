/** The file types that pictures are made in, and how well. */
import type { Sharp } from 'sharp'
import type { MediaType } from '../images/media-type.ts'

export type FileType = 'png' | 'jpeg' | 'webp'

export interface FileWish {
  readonly type: FileType
  /** Quality of a jpeg or webp, 0–100; absent: a loss that nobody sees. */
  readonly compression?: number
  /** Of a webp: not a pixel may change. Seconds for a large picture. */
  readonly lossless?: boolean
}

/** Null: pictures of this type can't be made, or not even read. */
export function fileTypeOf(mediaType: MediaType): FileType | null {
  switch (mediaType) {
    case 'image/png':
      return 'png'
    case 'image/jpeg':
      return 'jpeg'
    case 'image/webp':
      return 'webp'
    default:
      return null
  }
}

// Twice the size of what is usual, and far below what 100 takes.
const usualQuality = 95

/** Gives a picture's pipeline its end. */
export function encodeAs(picture: Sharp, { type, compression = usualQuality, lossless = false }: FileWish): Sharp {
  // sharp's lowest is 1.
  const quality = Math.max(1, compression)
  switch (type) {
    case 'png':
      // Filtered rows pack a photograph by a third better; above level 2 hardly anything is gained.
      return picture.png({ compressionLevel: 2, adaptiveFiltering: true })
    case 'jpeg':
      return picture.flatten({ background: '#ffffff' }).jpeg({
        quality,
        chromaSubsampling: quality >= 90 ? '4:4:4' : '4:2:0',
      })
    case 'webp':
      return lossless ? picture.webp({ lossless, exact: true, effort: 0 }) : picture.webp({ quality, effort: 2 })
  }
}

/** Did this webp file keep every pixel? Its pixels are in a `VP8L` chunk then (RFC 9649, 2.6). */
export function isLosslessWebp(file: Buffer): boolean {
  for (let at = 12; at + 8 <= file.length; ) {
    const chunk = file.toString('latin1', at, at + 4)
    if (chunk === 'VP8L') return true
    if (chunk === 'VP8 ') return false
    const length = file.readUInt32LE(at + 4)
    at += 8 + length + (length % 2)
  }
  return false
}
