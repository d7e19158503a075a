/** Google's GenerateContentResponse, chunk by chunk: thoughts, text, drafts, the picture, the end. */
import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { faultError } from './fault-errors.ts'
import type { Faults } from './faults.ts'
import { Base64 } from './google-json.ts'
import { imageTokens, isFixed, pixelsOf, ratioFor, referenceTokens, type SandboxModel, textTokens } from './model.ts'
import { type Order, unreadableImage } from './order.ts'
import type { Commission, Painter, Reference } from './painter.ts'
import { createSignature } from './signatures.ts'

/** A part as it stands on the wire; pictures and signatures are still bytes. */
type Part = { readonly [field: string]: unknown }

export interface Chunk {
  readonly parts: readonly Part[]
  /** The picture itself is in it. */
  readonly main: boolean
  /** Null: the prompt was blocked, and there is no candidate. */
  readonly candidate: { readonly finishReason?: string; readonly finishMessage?: string } | null
  /** What stands beside the candidates, as it is after this chunk. */
  readonly rest: { readonly [field: string]: unknown }
}

export interface Studio {
  readonly painter: Painter
  readonly now: () => Date
  readonly signal: AbortSignal
}

/**
 * Paints an order. Before the first chunk everything that can be refused has been: what it throws until then is a proper error.
 * Stops where the signal aborts.
 */
export async function* answer(order: Order, { painter, now, signal }: Studio): AsyncGenerator<Chunk> {
  const { model, tier, faults, prompt } = order
  if (faults.delayMs > 0) await sleep(faults.delayMs, undefined, { signal })
  if (faults.status) throw faultError(faults.status, faults, model.id)
  const references = await lookAtAll(order.pictures, painter, signal)

  const bill = createBill(order)
  const envelope = {
    modelVersion: model.id,
    createTime: now().toISOString(),
    responseId: randomBytes(17).toString('base64url'),
  }
  const chunk = (parts: readonly Part[], candidate: Chunk['candidate'] = {}, main = false): Chunk => ({
    parts,
    main,
    candidate,
    rest: { usageMetadata: bill.usage(), ...envelope },
  })

  if (faults.refusal?.stage === 'prompt') {
    const { rest } = chunk([])
    return yield {
      parts: [],
      main: false,
      candidate: null,
      rest: { promptFeedback: { blockReason: faults.refusal.reason }, ...rest },
    }
  }
  const instead = insteadOfPicture(faults, prompt === '' && references.length === 0)
  if (instead) {
    bill.text(instead.text)
    return yield chunk(instead.text ? [{ text: instead.text }] : [], instead.candidate)
  }

  const thinks = model.thinking && order.wantsThoughts
  if (model.thinking) bill.thoughts(thoughtTokens)
  if (thinks) yield chunk([{ text: thought, thought: true }])
  if (order.wantsText) {
    bill.text(opening)
    yield chunk([{ text: opening }])
  }

  const ratio = order.ratio ?? ratioFor(model, prompt, references[0]?.size)
  const commission: Commission = {
    prompt,
    seed: order.seed,
    size: pixelsOf(model, ratio, tier),
    mediaType: model.mediaType,
    references,
    draft: null,
  }
  const drafts = faults.drafts || (thinks ? 1 : 0)
  // Drafts of large pictures are 1K.
  const size = pixelsOf(model, ratio, tier === '512' ? '512' : '1K')
  for (let draft = 1; draft <= drafts; draft++) {
    const picture = await painter.paint({ ...commission, size, draft }, signal)
    yield chunk([{ ...picturePart(model, picture), ...(thinks && { thought: true }) }])
  }
  const picture = await painter.paint(commission, signal)
  bill.image(imageTokens(model, tier))
  yield chunk([picturePart(model, picture)], {}, true)
  yield chunk([], { finishReason: 'STOP' })
}

const thought = '**Composing the scene**\n\nThe light first, then what stands in it.\n'
const opening = 'Here is your picture: '
const thoughtTokens = 312

async function lookAtAll(pictures: readonly Buffer[], painter: Painter, signal: AbortSignal): Promise<Reference[]> {
  const references: Reference[] = []
  for (const bytes of pictures) {
    const reference = await painter.look(bytes, signal)
    if (!reference) throw unreadableImage()
    references.push(reference)
  }
  return references
}

function picturePart(model: SandboxModel, picture: Buffer): Part {
  return {
    inlineData: { mimeType: model.mediaType, data: new Base64(picture) },
    ...(!isFixed(model) && { thoughtSignature: new Base64(createSignature()) }),
  }
}

interface Instead {
  readonly text: string
  readonly candidate: Chunk['candidate']
}

/** What comes where no picture is to come. */
function insteadOfPicture({ refusal, textOnly, empty }: Faults, nothingAsked: boolean): Instead | null {
  if (refusal) return { text: '', candidate: refused(refusal.reason) }
  if (textOnly)
    return { text: 'I would love to paint that. In which style shall it be?', candidate: { finishReason: 'STOP' } }
  if (empty) return { text: '', candidate: { finishReason: 'STOP' } }
  return nothingAsked ? { text: '', candidate: refused('NO_IMAGE') } : null
}

/** Google explains what its filters for pictures did, and is silent about the rest. */
function refused(reason: string): Chunk['candidate'] {
  if (!reason.startsWith('IMAGE_')) return { finishReason: reason }
  return {
    finishReason: reason,
    finishMessage: `Unable to show the generated image. The image was filtered out because of ${reason}. You will not be charged for blocked images. Try rephrasing the prompt.`,
  }
}

/** Counts what an answer costs while it grows. */
function createBill({ model, allText, pictures, mediaResolution }: Order) {
  const prompt = promptUsage(model, allText, pictures.length, mediaResolution)
  let [text, image, thoughts] = [0, 0, 0]
  return {
    text: (added: string) => {
      text += textTokens(added)
    },
    image: (tokens: number) => {
      image += tokens
    },
    thoughts: (tokens: number) => {
      thoughts += tokens
    },
    usage: () => ({
      promptTokenCount: prompt.total,
      ...(text + image > 0 && { candidatesTokenCount: text + image }),
      totalTokenCount: prompt.total + text + image + thoughts,
      promptTokensDetails: prompt.details,
      ...(text + image > 0 && { candidatesTokensDetails: modalities(text, image) }),
      ...(thoughts > 0 && { thoughtsTokenCount: thoughts }),
    }),
  }
}

/** The tokens of what was sent, by modality. */
export function promptUsage(
  model: SandboxModel,
  allText: string,
  pictures: number,
  resolution: Order['mediaResolution'],
): { readonly total: number; readonly details: readonly object[] } {
  const [text, images] = [textTokens(allText), pictures * referenceTokens(model, resolution)]
  return { total: text + images, details: modalities(text, images) }
}

const modalities = (text: number, image: number) => [
  ...(text > 0 ? [{ modality: 'TEXT', tokenCount: text }] : []),
  ...(image > 0 ? [{ modality: 'IMAGE', tokenCount: image }] : []),
]
