/** One call to one upstream for pictures, answered whole or as a stream. */
import { GatewayError } from '../images/error.ts'
import type { UpstreamCall } from '../upstreams/upstream.ts'
import { type Collected, collect, type FetchPicture } from './collect.ts'
import { Drafts, type WantedDrafts } from './drafts.ts'
import type { Candidate } from './routing.ts'

/** Pictures that lie in a held answer, or where they were fetched to, until they are released. */
export type HeldPaintings = Collected

type Speaker = Pick<Candidate, 'upstream' | 'outbound'>

/** @throws GatewayError; nothing is held then. */
export async function paintHeld(
  { upstream, outbound }: Speaker,
  call: UpstreamCall,
  fetchPicture: FetchPicture,
): Promise<HeldPaintings> {
  const answer = await upstream.hold(call, outbound.superseded)
  if (!answer.ok) throw outbound.decodeError(answer)
  try {
    return withRelease(await collect(await outbound.decodeResult(answer), fetchPicture), answer.release)
  } catch (error) {
    answer.release()
    throw error
  }
}

/** @throws GatewayError, also where the stream ended before its last event; nothing is held then but drafts that are still shown. */
export async function paintStreamed(
  { upstream, outbound }: Speaker,
  call: UpstreamCall,
  wanted: WantedDrafts,
  fetchPicture: FetchPicture,
): Promise<HeldPaintings> {
  const drafts = new Drafts(wanted)
  try {
    const failed = await upstream.stream(call, event =>
      drafts.take(event, held => (held.name === null ? outbound.decodeResult(held) : outbound.decodeEvent(held))),
    )
    if (failed) throw outbound.decodeError(failed)
    if (!drafts.isWhole) {
      throw new GatewayError('upstream-failed', "The upstream's stream ended before its last event.")
    }
    return withRelease(await collect(drafts.parts, fetchPicture), () => drafts.release())
  } catch (error) {
    drafts.release()
    throw error
  }
}

const withRelease = (collected: Collected, release: () => void): HeldPaintings => ({
  ...collected,
  release: () => {
    collected.release()
    release()
  },
})
