/** Reading a call's skeleton before, or without, decoding it. */

/** The first of these members that is there and not null: Google takes names in either spelling. */
export function member(value: unknown, ...names: readonly string[]): unknown {
  const fields = typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  return names.map(name => fields[name]).find(item => item !== undefined && item !== null)
}

/** What it says beside its contents. */
export const configIn = (call: unknown): unknown => member(call, 'generationConfig', 'generation_config')
