/** What is done to pictures here because their upstream does not do it: the file type that was asked for, and masks. */
import { type ImageRequest, picturesField } from '../images/request.ts'
import type { Painting } from '../images/result.ts'
import { isThere, type Soon } from '../images/soon.ts'
import type { HoldingPlaces } from '../memory/held-document.ts'
import { keepBytes } from '../memory/kept-bytes.ts'
import type { Resolution } from '../models/catalogue.ts'
import { composite } from '../pixels/composite.ts'
import { mostPicturePixels } from '../pixels/look.ts'
import { type MaskedPicture, readMask } from '../pixels/mask.ts'
import type { PixelPlaces, PixelQueue } from '../pixels/queue.ts'
import { transcode } from '../pixels/transcode.ts'
import { isAnotherFile, wishFor, wishForEdit } from './file-wish.ts'
import type { RequestLinks } from './links.ts'
import { areaByHeaders, type Commission, commissionWithin, masksPictures } from './masked-edit.ts'
import type { HeldPaintings } from './paint-call.ts'
import type { Plan } from './plans.ts'

export interface RetouchParts {
  readonly pixels: PixelQueue
  readonly places: HoldingPlaces
}

export interface Asked {
  readonly resolution: Resolution
  readonly request: ImageRequest
  readonly plans: readonly Plan[]
  readonly links: RequestLinks
  /** The exchange's end. */
  readonly signal: AbortSignal
}

/** Of one exchange. */
export interface Retouch {
  /** The plans, with what goes up for each. */
  readonly commissions: readonly Commission[]
  /** What one call painted, as the caller wants it. Where it throws, everything is released. */
  finish(painted: HeldPaintings, commission: Commission): Promise<HeldPaintings>
  /** All its pictures are finished, or never will be. */
  end(): void
}

/** Before anything is paid. @throws GatewayError for a mask that can't be followed, or `overloaded`. */
export type StartRetouch = (asked: Asked) => Promise<Retouch>

// The original, what is laid on it, and what comes of it.
const picturesPerEdit = 3
// The mask and its edges are grey, and the picture is looked at and let go.
const picturesPerMask = 2

export function createRetouching({ pixels, places }: RetouchParts): StartRetouch {
  return async asked => {
    let taken: PixelPlaces | null = null
    const line = () => {
      taken ??= pixels.enter(asked.request.count)
      return taken
    }
    const end = () => taken?.leave()
    try {
      if (isExpected(asked)) line()
      const masked = isMaskedHere(asked) ? await readMaskOf(asked, line) : null
      return {
        commissions: asked.plans.map(plan => commissionFor(plan, masked, asked)),
        finish: (painted, commission) =>
          replaced(painted, places, painting => finished(painting, commission, asked, line)),
        end,
      }
    } catch (error) {
      end()
      throw error
    }
  }
}

const isExpected = ({ resolution, request, plans }: Asked) =>
  plans.some(plan => isAnotherFile(resolution.model, request, makesFormats(plan)))

const makesFormats = ({ candidate, target }: Plan) => candidate.outbound.formats(target.model)

const isMaskedHere = ({ request, plans }: Asked) =>
  request.mask !== undefined && !plans.every(({ candidate }) => candidate.outbound.masks)

async function readMaskOf({ request, links, signal }: Asked, line: () => PixelPlaces): Promise<MaskedPicture | null> {
  const pictures = await masksPictures(request, links)
  if (!pictures) return null
  const { mask, picture } = pictures
  const area = Math.max(await areaByHeaders(mask), await areaByHeaders(picture))
  const masked = await line().run(area * picturesPerMask, signal, () => readMask(mask, picture, picturesField(request)))
  wishForEdit(request, masked)
  return masked
}

const commissionFor = (plan: Plan, masked: MaskedPicture | null, { resolution, request }: Asked): Commission =>
  masked && !plan.candidate.outbound.masks
    ? commissionWithin(masked, request, plan, resolution)
    : { ...plan, masked: null, ignored: [] }

/** The picture that came where it is what the caller wants, else another one. */
function finished(
  painting: Painting,
  commission: Commission,
  { resolution, request, signal }: Asked,
  line: () => PixelPlaces,
): Soon<Painting> {
  const { masked } = commission
  if (masked) {
    const area = masked.size.width * masked.size.height * picturesPerEdit
    return line().run(area, signal, () => composite(painting.base64, masked, wishForEdit(request, masked)))
  }
  const wish = wishFor(painting, resolution.model, request, makesFormats(commission))
  if (!wish) return painting
  const area = painting.pixels ? painting.pixels.width * painting.pixels.height : mostPicturePixels
  return line().run(area, signal, () => transcode(painting.base64, wish))
}

/** New pictures in the places of those that came, which are let go with the last of them. */
async function replaced(
  painted: HeldPaintings,
  places: HoldingPlaces,
  replace: (painting: Painting) => Soon<Painting>,
): Promise<HeldPaintings> {
  const kept: (() => void)[] = []
  const release = () => {
    painted.release()
    for (const letGo of kept) letGo()
  }
  try {
    const paintings: Painting[] = []
    for (const painting of painted.paintings) {
      const finished = replace(painting)
      const made = isThere(finished) ? finished : await finished
      if (made !== painting) kept.push(keepBytes(places, made.base64))
      paintings.push({ ...painting, ...made })
    }
    // A signature lies where the picture lay.
    if (kept.length === paintings.length && !paintings.some(({ signature }) => signature)) painted.release()
    return { ...painted, paintings, release }
  } catch (error) {
    release()
    throw error
  }
}
