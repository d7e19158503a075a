/** What a wrong configuration throws: one error that lists every mistake, each with its place and what would be right. */

export interface Mistake {
  /** A key (`upstreams.google.base_url`), or the variable that gave the value. */
  readonly place: string
  /** Where in the file, as editors take it: `config/gateway.yaml:12`. Null: the value is not from the file. */
  readonly location: string | null
  /** A sentence without the place: what is wrong and what would be right. Of values it repeats names and paths alone, so no secret. */
  readonly problem: string
}

/** Its message is meant for a terminal, several lines long. A process stopped by it exits with `configErrorExitCode`. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError'
  readonly mistakes: readonly Mistake[]

  constructor(mistakes: readonly Mistake[]) {
    const count = mistakes.length === 1 ? 'a mistake' : `${mistakes.length} mistakes`
    super(`The configuration has ${count}:\n${mistakes.map(mistake => `  ${line(mistake)}`).join('\n')}`)
    this.mistakes = mistakes
  }
}

/** sysexits.h: EX_CONFIG */
export const configErrorExitCode = 78

function line({ place, location, problem }: Mistake): string {
  const where = [location, place].filter(part => part !== null && part !== '').join('  ')
  return `${where}: ${problem}`
}
