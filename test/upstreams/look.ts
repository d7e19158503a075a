/** What a picture that was sent really is, whatever its label says. */
import sharp from 'sharp'

export interface Look {
  readonly type: string
  readonly width: number
  readonly height: number
  readonly hasAlpha: boolean
}

/** Null: no picture, or none that a vendor could open. HEIC is known by its head; its size is not. */
export async function lookAt(bytes: Buffer): Promise<Look | null> {
  if (/^ftyp(heic|heix|mif1|msf1)/.test(bytes.toString('latin1', 4, 12))) {
    return { type: 'image/heic', width: 0, height: 0, hasAlpha: false }
  }
  try {
    const { format, width, height, hasAlpha } = await sharp(bytes).metadata()
    return { type: `image/${format}`, width, height, hasAlpha }
  } catch {
    return null
  }
}

/** Base64 of the standard alphabet, padded, on one line; null: it is none. */
export function decodeBase64(text: string): Buffer | null {
  const whole = text.length > 0 && text.length % 4 === 0 && /^[A-Za-z0-9+/]+={0,2}$/.test(text)
  return whole ? Buffer.from(text, 'base64') : null
}

/** `data:image/png;base64,…` taken apart; null: it is none. */
export function readDataUrl(text: string): { readonly type: string; readonly bytes: Buffer } | null {
  const [, type, base64] = /^data:([a-z]+\/[a-z0-9.+-]+);base64,(.*)$/s.exec(text) ?? []
  const bytes = base64 === undefined ? null : decodeBase64(base64)
  return type !== undefined && bytes ? { type, bytes } : null
}

export const isWebAddress = (text: string): boolean => /^https?:\/\//.test(text) && URL.canParse(text)
