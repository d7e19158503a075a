/** What a picture is, read off its first bytes: labels lie, bytes do not. */
import type { Pixels } from './geometry.ts'
import { isThere, type Soon, whenThere } from './soon.ts'

/** What upstreams take as references. */
export type InputMediaType = 'image/png' | 'image/jpeg' | 'image/webp' | 'image/heic' | 'image/heif'
/** What the gateway can recognise. */
export type MediaType = InputMediaType | 'image/gif'

/** Recognises a picture by its magic bytes; 32 bytes are enough. Null: not a picture of a known kind. */
export function mediaTypeOf(head: Uint8Array): MediaType | null {
  const bytes = Buffer.from(head.buffer, head.byteOffset, head.byteLength)
  const text = (start: number, end: number) => bytes.toString('latin1', start, end)
  if (text(0, 8) === '\x89PNG\r\n\x1a\n') return 'image/png'
  if (text(0, 3) === '\xff\xd8\xff') return 'image/jpeg'
  if (text(0, 4) === 'RIFF' && text(8, 12) === 'WEBP') return 'image/webp'
  if (text(0, 6) === 'GIF87a' || text(0, 6) === 'GIF89a') return 'image/gif'
  if (text(4, 8) !== 'ftyp') return null
  const brand = heifBrands.get(text(8, 12)) ?? null
  return brand === 'image/heif' && /avi[fs]/.test(text(16, 32)) ? null : brand
}

// Major brands of ISO/IEC 23008-12. AVIF is an ftyp too, sometimes under HEIF's general brand with its own among the
// compatible ones that follow; no upstream takes it.
const heifBrands = new Map<string, InputMediaType>([
  ...['heic', 'heix', 'hevc', 'hevx', 'heim', 'heis'].map(brand => [brand, 'image/heic'] as const),
  ...['mif1', 'msf1'].map(brand => [brand, 'image/heif'] as const),
])

const endings = new Map<string, InputMediaType>([
  ['png', 'image/png'],
  ['jpg', 'image/jpeg'],
  ['jpeg', 'image/jpeg'],
  ['webp', 'image/webp'],
  ['heic', 'image/heic'],
  ['heif', 'image/heif'],
])

/** What a file's name or address says it is, for want of its bytes; undefined where it says nothing that is known. */
export const mediaTypeOfName = (name: string): InputMediaType | undefined =>
  endings.get(/\.([a-z]+)(?:\?.*)?$/i.exec(name)?.[1]?.toLowerCase() ?? '')

/** Reads bytes of a picture: fewer than asked at its end. */
export type ReadAt = (offset: number, length: number) => Soon<Uint8Array>

/** Pixel size from the file's headers, without decoding it; null where they say none. Reads only the headers it needs. */
export function pixelSize(mediaType: MediaType, readAt: ReadAt): Soon<Pixels | null> {
  if (mediaType === 'image/jpeg') return jpegSize(readAt)
  return whenThere(readAt(0, 32), bytes => {
    const head = Buffer.from(bytes)
    switch (mediaType) {
      case 'image/png':
        return pngSize(head)
      case 'image/gif':
        return head.length < 10 ? null : sized(head.readUInt16LE(6), head.readUInt16LE(8))
      case 'image/webp':
        return webpSize(head)
      default:
        return null
    }
  })
}

function pngSize(head: Buffer): Pixels | null {
  if (head.length < 24 || head.toString('latin1', 12, 16) !== 'IHDR') return null
  return sized(head.readUInt32BE(16), head.readUInt32BE(20))
}

/** A lossless picture may be shorter than the other forms' headers, so each asks for what it reads. */
function webpSize(head: Buffer): Pixels | null {
  switch (head.toString('latin1', 12, 16)) {
    case 'VP8 ': // RFC 6386, 9.1: 14 bits each after the start code
      if (head.length < 30 || head.readUIntBE(23, 3) !== 0x9d012a) return null
      return sized(head.readUInt16LE(26) & 0x3fff, head.readUInt16LE(28) & 0x3fff)
    case 'VP8L': {
      if (head.length < 25 || head[20] !== 0x2f) return null
      const bits = head.readUInt32LE(21)
      return sized((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1)
    }
    case 'VP8X':
      return head.length < 30 ? null : sized(head.readUIntLE(24, 3) + 1, head.readUIntLE(27, 3) + 1)
    default:
      return null
  }
}

/** Walks the marker segments to the frame header, past EXIF and C2PA blocks of any size (ITU T.81, B.1 and B.2). */
function jpegSize(readAt: ReadAt, start = 2, segments = maxJpegSegments): Soon<Pixels | null> {
  let offset = start
  for (let left = segments; left > 0; left--) {
    const read = readAt(offset, 10)
    if (!isThere(read)) {
      return read.then(bytes => {
        const found = readSegment(Buffer.from(bytes))
        return typeof found === 'number' ? jpegSize(readAt, offset + found, left - 1) : found
      })
    }
    const found = readSegment(Buffer.from(read))
    if (typeof found !== 'number') return found
    offset += found
  }
  return null
}

/** The picture's size, null where none will come, or how much further the next segment lies. */
function readSegment(header: Buffer): Pixels | number | null {
  if (header.length < 10 || header[0] !== 0xff) return null
  const marker = header[1] ?? 0
  if (marker === 0xff) return fillBytes(header)
  if (isFrameHeader(marker)) return sized(header.readUInt16BE(7), header.readUInt16BE(5))
  if (marker === 0xd9 || marker === 0xda) return null
  return isBare(marker) ? 2 : 2 + header.readUInt16BE(2)
}

/** Any number of 0xff may stand before a marker; the last belongs to it. */
function fillBytes(header: Buffer): number {
  const end = header.findIndex(byte => byte !== 0xff)
  return (end < 0 ? header.length : end) - 1
}

// A segment holds at most 64 KB; C2PA manifests of a few MB span dozens of them.
const maxJpegSegments = 4096
const isBare = (marker: number) => marker === 0x01 || (marker >= 0xd0 && marker <= 0xd8)
const isFrameHeader = (marker: number) =>
  marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc

const sized = (width: number, height: number): Pixels | null => (width > 0 && height > 0 ? { width, height } : null)
