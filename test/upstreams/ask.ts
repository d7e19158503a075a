/** Ways to ask a fake vendor directly, as its own documents' samples do. */
import { type FormPart, postForm, textParts } from '../helpers/forms.ts'
import type { FakeUpstream } from './contract.ts'

export interface Told {
  readonly status: number
  readonly headers: Headers
  readonly text: string
  // biome-ignore lint/suspicious/noExplicitAny: documents of every vendor, looked into by tests
  readonly json: any
}

export type KeyHeaders = Readonly<Record<string, string>>

export const bearer = ({ key }: FakeUpstream): KeyHeaders => ({ authorization: `Bearer ${key}` })

/** The server's address without what `baseUrl` has behind it. */
export const rootOf = ({ baseUrl }: FakeUpstream): string => new URL(baseUrl).origin

export async function postJson(
  fake: FakeUpstream,
  path: string,
  body: unknown,
  headers: KeyHeaders = bearer(fake),
): Promise<Told> {
  const response = await fetch(rootOf(fake) + path, {
    method: 'POST',
    headers: { 'content-type': 'application/json', ...headers },
    body: typeof body === 'string' ? body : JSON.stringify(body),
  })
  return await told(response)
}

export async function postParts(
  fake: FakeUpstream,
  path: string,
  fields: Readonly<Record<string, string>>,
  files: readonly FormPart[],
  headers: KeyHeaders = bearer(fake),
): Promise<Told> {
  return await told(await postForm(rootOf(fake) + path, [...textParts(fields), ...files], { headers }))
}

export async function told(response: Response): Promise<Told> {
  const text = await response.text()
  const isJson = response.headers.get('content-type')?.startsWith('application/json')
  return { status: response.status, headers: response.headers, text, json: isJson ? JSON.parse(text) : null }
}

/** The events of an SSE text: `event` is null where the event has no such line. */
export function eventsOf(text: string): readonly { readonly event: string | null; readonly data: Told['json'] }[] {
  return text
    .split(/\r?\n\r?\n/)
    .filter(Boolean)
    .map(block => ({
      event: /^event: (.*)$/m.exec(block)?.[1] ?? null,
      data: JSON.parse(/^data: (.*)$/m.exec(block)?.[1] ?? 'null'),
    }))
}
