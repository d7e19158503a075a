/** A chat in Google's form: what was said before, what is asked now, and which pictures belong to which. */
import { GatewayError } from '../../images/error.ts'
import type { ImageRequest, Reference } from '../../images/request.ts'
import { isThere, type Soon, whenThere } from '../../images/soon.ts'
import type { RequestBounds, WireDocument } from '../protocol.ts'
import { readText } from '../text.ts'
import { invalid } from './fields.ts'
import { decodePicture } from './reference.ts'
import type { WireContent, WirePart } from './request-wire.ts'
import { type Speaker, speakerOf } from './roles.ts'

export interface Talk extends Pick<ImageRequest, 'prompt' | 'images' | 'turns' | 'system'> {
  /** Where each picture stands, as its number among those of all turns and then of the prompt. */
  readonly places: ReadonlyMap<WirePart, number>
}

interface Utterance {
  readonly speaker: Speaker
  readonly text: string
  readonly images: readonly Reference[]
  readonly parts: readonly WirePart[]
}

/**
 * What users said last, with nothing of the model's between, is the prompt. Thoughts and signatures are the model's own affair.
 * @throws GatewayError naming the part at fault.
 */
export async function decodeContents(
  contents: readonly WireContent[],
  systemInstruction: WireContent | undefined,
  document: WireDocument,
  bounds: RequestBounds,
): Promise<Talk> {
  const said: Utterance[] = []
  for (const [index, content] of contents.entries()) {
    said.push(await decodeContent(content, `contents[${index}]`, document, bounds))
  }
  const { parts } = systemInstruction ?? {}
  const instruction = parts && (await decodeContent({ parts }, 'system_instruction', document, bounds))
  const instructions = [...(instruction ? [instruction] : []), ...said.filter(isSystem)]
  const system = joined(instructions.map(({ text }) => text))
  const { before, now } = atThePrompt(said.filter(one => !isSystem(one)))
  // Other protocols' standing instructions have no pictures: theirs are the first of the prompt's.
  const asked = [...instructions, ...now]
  const images = asked.flatMap(one => one.images)
  if (images.length > bounds.maxImages) {
    throw invalid(`Request has ${images.length} images. At most ${bounds.maxImages} are allowed.`, 'contents')
  }
  return {
    turns: before.map(({ speaker, text, images }) => ({ role: speaker === 'model' ? 'model' : 'user', text, images })),
    prompt: joined(now.map(({ text }) => text)),
    images,
    ...(system && { system }),
    places: new Map([...before, ...asked].flatMap(({ parts }) => parts).map((part, place) => [part, place])),
  }
}

const isSystem = ({ speaker }: Utterance) => speaker === 'system'
const joined = (texts: readonly string[]) => texts.filter(Boolean).join('\n')

/** A last word of the model's after the prompt counts as said before it. */
function atThePrompt(said: readonly Utterance[]): { before: readonly Utterance[]; now: readonly Utterance[] } {
  const end = said.findLastIndex(({ speaker }) => speaker === 'user') + 1
  if (end === 0) throw emptyInput()
  const start = said.findLastIndex(({ speaker }, index) => index < end && speaker === 'model') + 1
  const [before, now] = [[...said.slice(0, start), ...said.slice(end)], said.slice(start, end)]
  if (said.every(({ text, images }) => text === '' && images.length === 0)) throw emptyInput()
  return { before, now }
}

const emptyInput = () =>
  new GatewayError('invalid-request', '* GenerateContentRequest.contents: contents is not specified', {
    param: 'contents',
    code: 'missing_required_parameter',
  })

/** `longest`: characters of each text. @throws GatewayError naming the part at fault, below `place`. */
export async function decodeContent(
  content: WireContent,
  place: string,
  document: WireDocument,
  bounds: RequestBounds,
  longest = longestText,
): Promise<Utterance> {
  const speaker = speakerOf(content.role)
  if (!speaker) throw invalid('Please use a valid role: user, model.', `${place}.role`)
  const images: Reference[] = []
  const parts: WirePart[] = []
  for (const [index, part] of (content.parts ?? []).entries()) {
    if (part.thought && speaker === 'model') continue
    const reference = decodePicture(part, `${place}.parts[${index}]`, document, bounds)
    if (!reference) continue
    images.push(await reference)
    parts.push(part)
  }
  const said = textOf(content, speaker, document, { place, longest })
  const text = isThere(said) ? said : await said
  return { speaker, text, images, parts }
}

// Four characters for each of the tokens that the largest of these models reads.
const longestText = 4 * 65_536

function textOf(
  content: WireContent,
  speaker: Speaker,
  document: WireDocument,
  { place, longest }: { readonly place: string; readonly longest: number },
): Soon<string> {
  let said: Soon<string> = ''
  for (const [index, { text, thought }] of (content.parts ?? []).entries()) {
    if (!text || (thought && speaker === 'model')) continue
    said = whenThere(said, before =>
      whenThere(readText(text, `${place}.parts[${index}].text`, longest, document), now =>
        before && now ? `${before}\n${now}` : before || now,
      ),
    )
  }
  return said
}
