/** What a terminal is told when the gateway listens: where, who paints, and a line to try it with. */
import { sandboxName } from './config/checks.ts'
import type { Config } from './config/config.ts'

export interface GreetingParts {
  readonly version: string
  /** Where the public listener is, and the operator's. */
  readonly address: string
  readonly adminAddress: string
  /** In the order in which they are preferred. */
  readonly upstreams: readonly string[]
  /** A model that the line to try has to name; null: it need name none. */
  readonly modelToName: string | null
}

/** Sentences, one a line. */
export function greeting(
  { auth, callers, notices }: Pick<Config, 'auth' | 'callers' | 'notices'>,
  { version, address, adminAddress, upstreams, modelToName }: GreetingParts,
): string {
  const key = auth === 'keys' ? " -H 'authorization: Bearer YOUR_KEY'" : ''
  const model = modelToName === null ? '' : `"model": "${modelToName}", `
  const lines = [
    `Plantain ${version} listens on ${address} (operators: ${adminAddress})`,
    upstreamsText(upstreams),
    ...notices,
    auth === 'keys' ? `Callers: ${callers.map(({ id }) => id).join(', ')}` : 'Open: no key is asked for.',
    '',
    'Make an image:',
    '',
    `  curl -s ${address}/v1/images/generations -H 'content-type: application/json'${key} \\`,
    `    -d '{${model}"prompt": "A red kite over a green valley"}' \\`,
    `    | sed 's/.*"b64_json":"\\([^"]*\\)".*/\\1/' | base64 -d > kite.jpg`,
    '',
  ]
  return `${lines.join('\n')}\n`
}

function upstreamsText(names: readonly string[]): string {
  const others = names.filter(name => name !== sandboxName)
  if (others.length === 0) {
    return 'Upstream: the built-in sandbox, which paints by itself and costs nothing. Set GEMINI_API_KEY for real models.'
  }
  const sandbox = others.length < names.length ? ', and the built-in sandbox' : ''
  return `${others.length > 1 ? 'Upstreams' : 'Upstream'}: ${others.join(', ')}${sandbox}`
}
