/** `bench/RESULTS.md`: one section for each command that measures, each of which writes its own and leaves the others. */
import { readFileSync, writeFileSync } from 'node:fs'

const place = new URL('RESULTS.md', import.meta.url)

export function writeResults(command: string, section: string): void {
  writeFileSync(place, withSection(readFileSync(place, 'utf8'), command, section))
}

/** The text with the command's section put in the place of the one before, or at the end. */
export function withSection(text: string, command: string, section: string): string {
  const [begin, end] = [`<!-- begin: ${command} -->\n`, `<!-- end: ${command} -->\n`]
  const from = text.indexOf(begin)
  const to = text.indexOf(end, from)
  const whole = `${begin}${section.trimEnd()}\n${end}`
  if (from < 0 || to < 0) return `${text.trimEnd()}\n\n${whole}`.trimStart()
  return text.slice(0, from) + whole + text.slice(to + end.length)
}
