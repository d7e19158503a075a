/** Paints the fakes' pictures: real files of the true size, each with bytes of its own, made so cheaply that a suite may ask for thousands. */
import { createHash } from 'node:crypto'
import { crc32, deflateSync } from 'node:zlib'
import sharp from 'sharp'
import { sha256 } from './form.ts'

export type PictureType = 'image/png' | 'image/jpeg' | 'image/webp'

export interface PictureOrder {
  readonly type: PictureType
  readonly width: number
  readonly height: number
  /** All of it see-through; not with JPEG. */
  readonly transparent?: boolean
  readonly draft?: boolean
  /** Bytes of noise added to the file, in a place that readers skip; WebP has none. */
  readonly weight?: number
}

export interface Painted extends Required<Omit<PictureOrder, 'weight'>> {
  readonly bytes: Buffer
  readonly sha256: string
  /** `[red, green, blue]`, all over; the next picture has another. JPEG has six, in turn. */
  readonly colour: readonly [number, number, number]
}

export interface Studio {
  readonly painted: readonly Painted[]
  paint(order: PictureOrder): Promise<Painted>
  /** The picture kept under an id that `keep` has given. */
  find(id: string): Painted | null
  /** Hangs a picture up to be fetched. */
  keep(picture: Painted): string
  forget(): void
}

// Enough for half of a document to end inside its picture.
const usualWeight = 4096
let count = 0

export function createStudio(): Studio {
  const painted: Painted[] = []
  const kept = new Map<string, Painted>()
  return {
    painted,
    async paint({ type, width, height, transparent = false, draft = false, weight = usualWeight }) {
      const number = ++count
      const shade = type === 'image/jpeg' ? number % 6 : number
      const colour = [(shade * 67) % 256, (shade * 131) % 256, (shade * 29) % 256] as const
      const bytes = await draw({ type, width, height, transparent, colour, noise: noise(number, weight) })
      const picture = { type, width, height, transparent, draft, bytes, sha256: sha256(bytes), colour }
      painted.push(picture)
      return picture
    },
    find: id => kept.get(id) ?? null,
    keep(picture) {
      const id = picture.sha256.slice(0, 24)
      kept.set(id, picture)
      return id
    },
    forget() {
      painted.length = 0
      kept.clear()
    },
  }
}

interface Drawing {
  readonly type: PictureType
  readonly width: number
  readonly height: number
  readonly transparent: boolean
  readonly colour: readonly [number, number, number]
  readonly noise: Buffer
}

async function draw(drawing: Drawing): Promise<Buffer> {
  const { type, width, height, transparent, colour, noise } = drawing
  if (type === 'image/png') return drawPng(drawing)
  const [r, g, b] = colour
  const background = { r, g, b, alpha: transparent ? 0 : 1 }
  const blank = sharp({ create: { width, height, channels: transparent ? 4 : 3, background } })
  if (type === 'image/webp') return await blank.webp({ lossless: true, effort: 0 }).toBuffer()
  return withComments(await jpegOf(`${width}x${height} ${colour}`, () => blank.jpeg().toBuffer()), noise)
}

/** One bit a pixel and a palette of one colour: whatever its size, only the palette is made anew. */
function drawPng({ width, height, transparent, colour, noise }: Drawing): Buffer {
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([1, 3, 0, 0, 0], 8)
  return Buffer.concat([
    Buffer.from('\x89PNG\r\n\x1a\n', 'latin1'),
    chunk('IHDR', header),
    chunk('PLTE', Buffer.from(colour)),
    ...(transparent ? [chunk('tRNS', Buffer.of(0))] : []),
    ...(noise.length > 0 ? [chunk('noIs', noise)] : []),
    chunk('IDAT', zeroPixels(width, height)),
    chunk('IEND', Buffer.alloc(0)),
  ])
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const frame = Buffer.alloc(8)
  frame.writeUInt32BE(data.length, 0)
  frame.writeUInt32BE(crc32(body), 4)
  return Buffer.concat([frame.subarray(0, 4), body, frame.subarray(4)])
}

const pixels = new Map<string, Buffer>()

function zeroPixels(width: number, height: number): Buffer {
  const size = `${width}x${height}`
  const known = pixels.get(size) ?? deflateSync(Buffer.alloc((1 + Math.ceil(width / 8)) * height), { level: 1 })
  pixels.set(size, known)
  return known
}

const jpegs = new Map<string, Promise<Buffer>>()

function jpegOf(key: string, make: () => Promise<Buffer>): Promise<Buffer> {
  const known = jpegs.get(key) ?? make()
  jpegs.set(key, known)
  return known
}

/** Comment segments, of at most 65,533 bytes each, behind the start of the image. */
function withComments(jpeg: Buffer, text: Buffer): Buffer {
  const segments: Buffer[] = [jpeg.subarray(0, 2)]
  for (let at = 0; at < text.length; at += 65_533) {
    const piece = text.subarray(at, at + 65_533)
    const head = Buffer.of(0xff, 0xfe, 0, 0)
    head.writeUInt16BE(piece.length + 2, 2)
    segments.push(head, piece)
  }
  return Buffer.concat([...segments, jpeg.subarray(2)])
}

/** Bytes that no compression shrinks, the same for the same number; at least sixteen, so that no two files are one. */
function noise(number: number, length: number): Buffer {
  const block = createHash('shake256', { outputLength: Math.min(Math.max(16, length), 1 << 20) })
    .update(`${number}`)
    .digest()
  const all = Buffer.alloc(Math.max(16, length))
  for (let at = 0; at < all.length; at += block.length) block.copy(all, at)
  return all
}
