/** What every caller of the matrix asks for, and how the upstream is ordered to answer: the columns of the table. */
import { numberedPicture } from '../helpers/pictures.ts'
import type { FakeAnswer } from '../upstreams/contract.ts'
import { sha256 } from '../upstreams/form.ts'

/** A reference picture. */
export interface File {
  readonly type: 'image/png' | 'image/jpeg' | 'image/webp'
  readonly bytes: Buffer
  readonly sha256: string
}

export interface Feature {
  /** For the test's title. */
  readonly name: string
  /** For the table's head. */
  readonly head: string
  /** Reference pictures sent. */
  readonly references: number
  readonly count: number
  readonly stream: boolean
  /** The answer is to hold addresses. Only OpenAI's form has a word for that. */
  readonly byAddress: boolean
  /** What the upstream is ordered to answer each call with; of a stream, where it has streams: drafts before the picture. */
  readonly order: FakeAnswer
}

/** Three words that ASCII lacks and one outside of the first plane: nothing may be lost on the way. */
export const prompt = 'Ein roter Drachen über den Dächern, größer als der Mond 🪁'
/** A size that OpenAI's models take as it is, and the ratio and tier that the others have for it. */
export const shape = { size: '1376x768', ratio: '16:9', tier: '1K' } as const
export const partials = 2
export const waitSeconds = 12

const plain = { references: 0, count: 1, stream: false, byAddress: false, order: { kind: 'ok' } } as const

export const features = [
  { ...plain, name: 'a picture', head: 'a picture' },
  { ...plain, name: 'an edit with three references', head: 'edit of 3', references: 3 },
  { ...plain, name: 'a stream', head: 'stream', stream: true },
  { ...plain, name: 'three pictures', head: 'n = 3', count: 3 },
  { ...plain, name: 'an answer by address', head: 'url', byAddress: true },
  { ...plain, name: 'what is refused', head: 'refusal', order: { kind: 'refusal', stage: 'output' } },
  { ...plain, name: 'a limit of the upstream', head: '429', order: { kind: 'rate-limited', waitSeconds } },
  { ...plain, name: 'a failure of the upstream', head: '500', order: { kind: 'server-error', status: 500 } },
  { ...plain, name: 'an upstream that is overloaded', head: '503', order: { kind: 'server-error', status: 503 } },
  { ...plain, name: 'an answer that is cut', head: 'cut', order: { kind: 'cut' } },
] as const satisfies readonly Feature[]

/** Three pictures of three types. */
export async function references(): Promise<readonly File[]> {
  const of = async (type: 'png' | 'jpeg' | 'webp', number: number): Promise<File> => {
    const bytes = await numberedPicture(type, 40, 30, number)
    return { type: `image/${type}`, bytes, sha256: sha256(bytes) }
  }
  return Promise.all([of('png', 1), of('jpeg', 2), of('webp', 3)])
}
