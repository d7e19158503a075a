/** Paints what was asked for: a scene drawn from the prompt and, for an edit, the references hung in it in frames. */
import { createHash } from 'node:crypto'
import type { Pixels } from '../images/geometry.ts'
import { mediaTypeOf } from '../images/media-type.ts'
import { compose, type Inlay, type Rectangle } from '../pixels/compose.ts'
import { lookAt } from '../pixels/look.ts'
import { createQueue } from './queue.ts'
import { drawScene } from './scenes/scenes.ts'
import { svg } from './scenes/stage.ts'

/** A picture that was sent and can be shown. */
export interface Reference {
  readonly bytes: Buffer
  readonly size: Pixels
  /** HEIC: taken, but sharp's build has no decoder for it. In its frame hangs a painting made from its bytes. */
  readonly unseen: boolean
}

export interface Commission {
  readonly prompt: string
  readonly seed: number
  readonly size: Pixels
  readonly mediaType: 'image/png' | 'image/jpeg'
  readonly references: readonly Reference[]
  /** A study on the way to the picture, the first being 1; null: the picture. */
  readonly draft: number | null
}

export interface Painter {
  /** Null: no picture, or a broken one. */
  look(bytes: Buffer, signal: AbortSignal): Promise<Reference | null>
  /** The picture's file. The same commission gives the same file. */
  paint(commission: Commission, signal: AbortSignal): Promise<Buffer>
}

/** `atOnce`: how many pictures are worked on at a time; a 4K one takes about 150 MB while it lasts. */
export function createPainter({ atOnce = 2 }: { readonly atOnce?: number } = {}): Painter {
  const queue = createQueue(atOnce)
  return {
    look: (bytes, signal) => queue(signal, () => look(bytes)),
    paint: (commission, signal) => queue(signal, () => paint(commission)),
  }
}

async function look(bytes: Buffer): Promise<Reference | null> {
  switch (mediaTypeOf(bytes)) {
    case 'image/png':
    case 'image/jpeg':
    case 'image/webp': {
      const size = await lookAt(bytes)
      return size && { bytes, size, unseen: false }
    }
    case 'image/heic':
    case 'image/heif':
      return { bytes, size: { width: 1200, height: 900 }, unseen: true }
    default:
      return null
  }
}

async function paint({ prompt, seed, size, mediaType, references, draft }: Commission): Promise<Buffer> {
  const places = hang(
    references.map(reference => reference.size),
    size,
  )
  const inlays: Inlay[] = []
  for (const [index, { bytes, unseen }] of references.entries()) {
    const at = places[index]
    if (at) inlays.push({ picture: unseen ? await paintUnseen(bytes, at) : bytes, at })
  }
  const drawing = drawScene({ prompt, seed }, size, draft ?? 0) + places.map(frame).join('')
  return await compose({ size, drawing, inlays, mediaType, rough: draft !== null })
}

async function paintUnseen(bytes: Buffer, size: Rectangle): Promise<Buffer> {
  const prompt = createHash('sha256').update(bytes).digest('hex')
  return await compose({
    size,
    drawing: drawScene({ prompt, seed: 0 }, size),
    inlays: [],
    mediaType: 'image/png',
    rough: false,
  })
}

/** Where pictures of these sizes hang: in rows, each whole and as large as its cell lets it, in the middle of three quarters of the wall. */
export function hang(pictures: readonly Pixels[], wall: Pixels): Rectangle[] {
  const field = { width: wall.width * 0.78, height: wall.height * 0.78 }
  const columns = columnsFor(pictures.length, field)
  const rows = Math.ceil(pictures.length / columns)
  const cell = { width: field.width / columns, height: field.height / rows }
  const gap = pictures.length === 1 ? 1 : 0.86
  return pictures.map(({ width, height }, index) => {
    const scale = Math.min((cell.width * gap) / width, (cell.height * gap) / height)
    const fitted = { width: atLeastOne(width * scale), height: atLeastOne(height * scale) }
    const row = Math.floor(index / columns)
    const inRow = Math.min(columns, pictures.length - row * columns)
    const middleX = wall.width / 2 + ((index % columns) - (inRow - 1) / 2) * cell.width
    const middleY = wall.height / 2 + (row - (rows - 1) / 2) * cell.height
    return {
      ...fitted,
      left: Math.round(middleX - fitted.width / 2),
      top: Math.round(middleY - fitted.height / 2),
    }
  })
}

const atLeastOne = (length: number) => Math.max(1, Math.round(length))

/** As many columns as make the cells most nearly square. */
function columnsFor(count: number, { width, height }: Pixels): number {
  return Math.min(count, Math.max(1, Math.round(Math.sqrt((count * width) / height))))
}

/** Wood, mat and shadow round a picture; the picture itself is set in later. */
function frame({ left, top, width, height }: Rectangle): string {
  const mat = Math.max(2, Math.min(width, height) * 0.035)
  const wood = mat * 0.55
  const ring = (out: number, down: number, fill: string, opacity: number) =>
    svg`<rect x="${left - out}" y="${top - out + down}" width="${width + 2 * out}" height="${height + 2 * out}" fill="${fill}" fill-opacity="${opacity}"/>`
  const shadow = [2.2, 1.7, 1.2].map(depth => ring(mat + wood * depth, wood * depth, '#000000', 0.12)).join('')
  return shadow + ring(mat + wood, 0, '#2b211b', 1) + ring(mat, 0, '#f7f2e8', 1)
}
