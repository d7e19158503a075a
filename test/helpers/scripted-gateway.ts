/** A real gateway in front of a scripted upstream, one of each for all tests of a file. */
import { afterAll, beforeEach } from 'vitest'
import { type GatewayOptions, startGateway, type TestGateway } from './gateway.ts'
import { type Script, type ScriptedUpstream, type SeenRequest, startUpstream } from './scripted-upstream.ts'

export interface ScriptedGateway {
  readonly gateway: TestGateway
  readonly upstream: ScriptedUpstream
  /** The one call that went up, its body as text beside its bytes; throws if there were none or several. */
  sentUp(): SeenRequest & { readonly text: string }
}

/**
 * To be awaited at the top of a file. Each of its tests finds an upstream that has seen nothing and follows `script`; both
 * are closed after the last one.
 */
export async function scriptedGateway(
  script: Script,
  options: Omit<GatewayOptions, 'upstream'> = {},
): Promise<ScriptedGateway> {
  const upstream = await startUpstream(script)
  const gateway = await startGateway({ upstream: upstream.url, ...options })
  beforeEach(() => {
    upstream.seen.length = 0
    upstream.script = script
  })
  afterAll(async () => {
    await gateway.close()
    await upstream.close()
  })
  return {
    gateway,
    upstream,
    sentUp: () => {
      const [seen] = upstream.seen
      if (!seen || upstream.seen.length > 1) throw new Error(`${upstream.seen.length} calls went up.`)
      return { ...seen, text: seen.body.toString() }
    },
  }
}
