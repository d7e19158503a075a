/** Gathers mistakes while the configuration is read, and turns paths into places people can find. */

import { ConfigError, type Mistake } from './config-error.ts'
import { isWithin, type Path, pathText } from './tree.ts'

const lastLine = Number.MAX_SAFE_INTEGER

interface Found {
  readonly path: Path | null
  readonly line: number | null
  readonly mistake: Mistake
}

export class Mistakes {
  readonly #found: Found[] = []
  readonly #doubtful: Path[] = []
  readonly #variables = new Map<string, string>()
  readonly #file: string
  #lineOf: (path: Path) => number | null = () => null

  /** `file`: its name as people know it. */
  constructor(file: string) {
    this.#file = file
  }

  /** From now on, paths of the file get the line that this tells. */
  readLinesWith(lineOf: (path: Path) => number | null): void {
    this.#lineOf = lineOf
  }

  /** What lies at this path was given by a variable, so its mistakes are that variable's. */
  gaveBy(path: Path, variable: string): void {
    this.#variables.set(pathText(path), variable)
  }

  /** What should have given this is wrong itself, so that it is missing must not be told as well. */
  doubt(path: Path): void {
    this.#doubtful.push(path)
  }

  /** Left out where the same place, a part of it or what it is part of is known to be wrong: that would only be an echo. */
  add(path: Path, problem: string): void {
    if (this.#isKnownWrong(path) || this.#doubtful.some(doubtful => isWithin(doubtful, path))) return
    const variable = this.#variableOf(path)
    const line = variable === null ? this.#lineOf(path) : null
    const mistake = { place: variable ?? pathText(path), location: this.#location(line), problem }
    this.#found.push({ path, line, mistake })
  }

  addVariable(variable: string, problem: string): void {
    this.#found.push({ path: null, line: null, mistake: { place: variable, location: null, problem } })
  }

  /** About the file as text, before it has keys. */
  addLine(line: number, column: number, problem: string): void {
    const location = `${this.#file}:${line}:${column}`
    this.#found.push({ path: null, line, mistake: { place: '', location, problem } })
  }

  /** Whether something about this place, in it or around it, is wrong or in doubt. */
  touches(path: Path): boolean {
    const inDoubt = this.#doubtful.some(doubtful => isWithin(doubtful, path) || isWithin(path, doubtful))
    return inDoubt || this.#isKnownWrong(path)
  }

  /** `config/gateway.yaml:12`, or the variable: how a sentence about one place names another. */
  whereIs(path: Path): string {
    return this.#variableOf(path) ?? this.#location(this.#lineOf(path)) ?? pathText(path)
  }

  /** In the order of the file's lines; those of variables last. Throws the ConfigError, or does nothing. */
  throwIfAny(): void {
    if (this.#found.length === 0) return
    const ordered = this.#found.toSorted((a, b) => (a.line ?? lastLine) - (b.line ?? lastLine))
    throw new ConfigError(ordered.map(({ mistake }) => mistake))
  }

  #isKnownWrong(path: Path): boolean {
    return this.#found.some(({ path: wrong }) => wrong !== null && (isWithin(wrong, path) || isWithin(path, wrong)))
  }

  #variableOf(path: Path): string | null {
    for (let length = path.length; length > 0; length--) {
      const variable = this.#variables.get(pathText(path.slice(0, length)))
      if (variable !== undefined) return variable
    }
    return null
  }

  #location(line: number | null): string | null {
    return line === null ? null : `${this.#file}:${line}`
  }
}
