/** Small real pictures for tests, and eyes to look at pictures with. */
import sharp from 'sharp'

export type PictureType = 'png' | 'jpeg' | 'webp' | 'gif'

export interface PictureShape {
  readonly width?: number
  readonly height?: number
  /** Anything CSS calls a colour; the picture is full of it. */
  readonly colour?: string
}

/** A picture file of one colour, 64 × 48 unless told otherwise. */
export async function picture(
  format: PictureType,
  { width = 64, height = 48, colour = '#c05020' }: PictureShape = {},
): Promise<Buffer> {
  return await sharp({ create: { width, height, channels: 3, background: colour } })
    .toFormat(format)
    .toBuffer()
}

/** One of many, small in bytes: two numbers are two different pictures. */
export function numberedPicture(format: PictureType, width = 8, height = 8, number = 1): Promise<Buffer> {
  const colour = `rgb(${(number * 67) % 256}, ${(number * 131) % 256}, ${(number * 29) % 256})`
  return picture(format, { width, height, colour })
}

/** The first bytes of a HEIC file: its type can be told, its pixels cannot. */
export function heicHead(): Buffer {
  return Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic\0\0\0\0mif1heic'), Buffer.alloc(40)])
}

export interface Seen {
  readonly format: string
  readonly width: number
  readonly height: number
}

/** What a file really is, by decoding all of it. */
export async function see(file: Uint8Array): Promise<Seen> {
  const { format } = await sharp(file).metadata()
  const { info } = await sharp(file, { failOn: 'warning' }).raw().toBuffer({ resolveWithObject: true })
  return { format: format ?? 'unknown', width: info.width, height: info.height }
}

/** The mean colour of a rectangle, `[red, green, blue]` from 0 to 255. */
export async function meanColour(
  file: Uint8Array,
  at: { readonly left: number; readonly top: number; readonly width: number; readonly height: number },
): Promise<readonly number[]> {
  const { channels } = await sharp(await sharp(file).extract(at).toBuffer()).stats()
  return channels.slice(0, 3).map(({ mean }) => mean)
}

/** How many of the pixels of two pictures of one size differ so that one sees it: 0–1. */
export async function shareOfDifference(one: Uint8Array, other: Uint8Array): Promise<number> {
  const [a, b] = await Promise.all([one, other].map(file => sharp(file).removeAlpha().raw().toBuffer()))
  if (!a || !b || a.length !== b.length) throw new Error('The pictures are not of one size.')
  let different = 0
  for (let at = 0; at < a.length; at += 3) {
    const most = Math.max(...[0, 1, 2].map(channel => Math.abs((a[at + channel] ?? 0) - (b[at + channel] ?? 0))))
    if (most > visibleStep) different++
  }
  return different / (a.length / 3)
}

// Of 255: more than grain and JPEG do between two files of one picture.
const visibleStep = 16
