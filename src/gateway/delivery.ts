/** How finished pictures get to their caller: inside the answer, or stored, with their addresses in it. */
import type { Assets } from '../assets/assets.ts'
import { GatewayError } from '../images/error.ts'
import type { ImageRequest } from '../images/request.ts'
import type { Resolution } from '../models/catalogue.ts'
import { NotBase64Error } from '../streams/base64-decoder.ts'
import type { Exchange } from './exchange.ts'
import type { PaintedAnswer } from './painting.ts'

export interface DeliverySettings {
  readonly responseFormat: 'auto' | 'b64_json' | 'url'
}

export interface DeliveryParts {
  readonly assets: Assets
  readonly settings: DeliverySettings
}

/** Has the pictures painted, and stores them where their caller wants addresses. @throws GatewayError; nothing is held or stored then. */
export type Deliver = (
  exchange: Pick<Exchange, 'signal' | 'dryRun'>,
  request: ImageRequest,
  resolution: Pick<Resolution, 'asked'>,
  paint: () => Promise<PaintedAnswer>,
) => Promise<PaintedAnswer>

export function createDelivery({ assets, settings }: DeliveryParts): Deliver {
  return async ({ signal, dryRun }, request, { asked }, paint) => {
    if (dryRun || !wantsAddresses(request, asked)) return paint()
    const giveBack = await assets.reserve(request.count)
    try {
      return await stored(await paint(), signal)
    } finally {
      giveBack()
    }
  }

  /** Events of a stream hold pictures as base64 in any case, and Google's answers know no other form. */
  function wantsAddresses({ delivery, stream, extras }: ImageRequest, asked: string): boolean {
    if (stream || extras.protocol !== 'openai') return false
    return delivery ? delivery === 'url' : isAnsweredByUrl(settings, asked)
  }

  async function stored(painted: PaintedAnswer, signal: AbortSignal): Promise<PaintedAnswer> {
    try {
      const { urls, withdraw } = await assets.publish(painted.paintings, signal)
      const paintings = painted.paintings.map((painting, index) => ({ ...painting, url: urls[index] ?? '' }))
      return { ...painted, paintings, withdraw }
    } catch (error) {
      painted.release()
      if (!(error instanceof NotBase64Error)) throw error
      throw new GatewayError('upstream-failed', "The upstream's picture is no base64.", { cause: error })
    }
  }
}

// https://platform.openai.com/docs/api-reference/images/create: url is what these models answer with unless asked otherwise.
const addressesByDefault = /^(?:openai\/)?dall-e-/i

/** What a caller of OpenAI's protocol gets who does not say. `asked`: the model's name, as the caller wrote it. */
export function isAnsweredByUrl({ responseFormat }: DeliverySettings, asked: string): boolean {
  return responseFormat === 'auto' ? addressesByDefault.test(asked) : responseFormat === 'url'
}
