/** A gateway in front of the sandbox that paints, and eyes for what comes back through an SDK. */
import sharp from 'sharp'
import { expect } from 'vitest'
import { startSandbox } from '../../src/sandbox/start.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { picture, see } from '../helpers/pictures.ts'

export async function startPaintingGateway(options: Omit<GatewayOptions, 'upstream'> = {}): Promise<TestGateway> {
  const sandbox = await startSandbox({ host: '127.0.0.1', port: 0 })
  const gateway = await startGateway({ ...options, upstream: sandbox.url })
  return {
    ...gateway,
    close: async () => {
      await gateway.close()
      await sandbox.close()
    },
  }
}

/** Colours that the sandbox's own scenes have none of: where they are seen, a reference picture was used. */
export const magenta: Colour = { css: '#ff00ff', channels: [255, 0, 255] }
export const green: Colour = { css: '#00ff00', channels: [0, 255, 0] }

export interface Colour {
  readonly css: string
  readonly channels: readonly [red: number, green: number, blue: number]
}

export const pictureOf = (colour: Colour, format: 'png' | 'jpeg' | 'webp' = 'png'): Promise<Buffer> =>
  picture(format, { colour: colour.css, width: 96, height: 96 })

/** The file decodes as a picture of this format and size, and is no plain surface. */
export async function expectPicture(
  file: Uint8Array,
  { format, size }: { readonly format: 'png' | 'jpeg'; readonly size: `${number}x${number}` },
): Promise<void> {
  const seen = await see(file)
  expect({ format: seen.format, size: `${seen.width}x${seen.height}` }).toEqual({ format, size })
  const { entropy } = await sharp(file).stats()
  expect(entropy).toBeGreaterThan(3)
}

/** A visible part of the picture has each of these colours. */
export async function expectColours(file: Uint8Array, ...colours: readonly Colour[]): Promise<void> {
  for (const colour of colours) expect(await shareOf(colour, file), colour.css).toBeGreaterThan(0.04)
}

/** How much of the picture has the colour, but for what JPEG does to it: 0–1. */
export async function shareOf({ channels }: Colour, file: Uint8Array): Promise<number> {
  const pixels = await sharp(file).removeAlpha().raw().toBuffer()
  const isNear = (at: number) => channels.every((value, channel) => Math.abs((pixels[at + channel] ?? 0) - value) < 40)
  let found = 0
  for (let at = 0; at < pixels.length; at += 3) if (isNear(at)) found++
  return found / (pixels.length / 3)
}

export const fromBase64 = (text: string | undefined): Buffer => Buffer.from(text ?? '', 'base64')
