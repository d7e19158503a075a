/** The operator's commands: `npm run plantain -- <command>`. Each prints, and ends in the exit code that scripts ask for. */

import { get } from 'node:http'
import { parseArgs } from 'node:util'
import { isUnspecified, urlHost } from './config/address.ts'
import type { Config } from './config/config.ts'
import { ConfigError, configErrorExitCode } from './config/config-error.ts'
import { hashKey, keyFault } from './config/keys.ts'
import { loadConfig } from './config/load.ts'
import { renderConfig } from './config/print.ts'
import { mistakesInOwnModels } from './models/own-models.ts'

export interface Terminal {
  readonly env: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly stdin: AsyncIterable<Uint8Array | string> & { readonly isTTY?: boolean }
  /** To standard output: what was asked for. */
  readonly print: (text: string) => void
  /** To standard error: everything else. */
  readonly complain: (text: string) => void
}

const usage = `usage: npm run plantain -- <command>

  check-config [file]   says what is wrong with the configuration, or sums it up; exit 0 or 78
  print-config          prints the configuration with every default, secrets masked
  hash-key [key]        prints the SHA-256 of a caller's key, for key_sha256; without an argument reads it from standard input
  healthcheck           asks this machine's gateway whether it lives; exit 0 or 1
`

const usageExitCode = 64

/** The exit code. `args`: without node and the script. */
export async function runCommand(args: readonly string[], terminal: Terminal): Promise<number> {
  const parsed = parse(args)
  if (parsed === null) return misused(terminal)
  if (parsed.help) {
    terminal.print(usage)
    return 0
  }
  const [command, argument, ...more] = parsed.words
  if (more.length > 0) return misused(terminal)
  if (command === 'check-config') return checkConfig(argument, terminal)
  if (command === 'hash-key') return printHash(argument, terminal)
  if (argument !== undefined) return misused(terminal)
  if (command === 'print-config') return printConfig(terminal)
  if (command === 'healthcheck') return checkHealth(terminal)
  return misused(terminal)
}

function parse(args: readonly string[]): { help: boolean; words: readonly string[] } | null {
  try {
    const options = { help: { type: 'boolean', short: 'h', default: false } } as const
    const { values, positionals } = parseArgs({ args: [...args], options, allowPositionals: true })
    return { help: values.help, words: positionals }
  } catch {
    return null
  }
}

function misused({ complain }: Terminal): number {
  complain(usage)
  return usageExitCode
}

function checkConfig(file: string | undefined, terminal: Terminal): number {
  const config = load(terminal, file)
  if (config === null) return configErrorExitCode
  terminal.print(summary(config))
  return 0
}

function printConfig(terminal: Terminal): number {
  const config = load(terminal)
  if (config === null) return configErrorExitCode
  terminal.print(renderConfig(config))
  return 0
}

/** Null where it is wrong: what is wrong has been said. */
function load({ env, cwd, complain }: Terminal, file?: string): Config | null {
  try {
    return loadConfig({
      env: file === undefined ? env : { ...env, PLANTAIN_CONFIG: file },
      cwd,
      modelMistakes: mistakesInOwnModels,
    })
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error
    complain(`${error.message}\n`)
    return null
  }
}

function summary({ listen, admin, auth, callers, upstreams, sandbox, redisUrl, workers, notices }: Config): string {
  const names = [...upstreams.map(({ name }) => name), ...(sandbox ? ['sandbox (built in)'] : [])]
  const lines = [
    'The configuration is right.',
    `  public listener    ${address(listen)}`,
    `  admin listener     ${address(admin)}${admin.token === null ? '' : ', with a token'}`,
    `  callers            ${auth === 'open' ? 'anyone, without a key' : callers.map(({ id }) => id).join(', ')}`,
    `  upstreams          ${names.join(', ')}`,
    `  limits             ${redisUrl === null ? "in this process's memory" : 'shared through Redis'}`,
    ...(workers > 1 ? [`  processes          ${workers}`] : []),
    ...notices.map(notice => `  ${notice}`),
  ]
  return `${lines.join('\n')}\n`
}

function address({ host, port }: { host: string; port: number }): string {
  return `${urlHost(host)}:${port === 0 ? '(any free port)' : port}`
}

async function printHash(argument: string | undefined, { stdin, print, complain }: Terminal): Promise<number> {
  if (argument !== undefined) {
    complain(
      "Arguments stay in the shell's history and show in the list of processes: standard input keeps a key to itself.\n",
    )
  } else if (stdin.isTTY) {
    complain('The key, then Enter and Ctrl-D:\n')
  }
  const key = argument ?? (await readAll(stdin)).replace(/[\r\n]+$/, '')
  const fault = key === '' ? 'is empty' : keyFault(key)
  if (fault !== null) {
    complain(`The key ${fault}.\n`)
    return usageExitCode
  }
  print(`${hashKey(key)}\n`)
  return 0
}

async function readAll(stream: Terminal['stdin']): Promise<string> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(Buffer.from(chunk))
  return Buffer.concat(chunks).toString('utf8')
}

async function checkHealth(terminal: Terminal): Promise<number> {
  const config = load(terminal)
  if (config === null) return 1
  const { host, port } = config.admin
  if (port === 0) {
    terminal.complain('The admin listener has any free port (0): give it a fixed one to ask it from outside.\n')
    return 1
  }
  const failure = await askLiveness(isUnspecified(host) ? (host === '::' ? '::1' : '127.0.0.1') : host, port)
  if (failure !== null) {
    terminal.complain(`${address(config.admin)} does not live: ${failure}.\n`)
    return 1
  }
  terminal.print(`${address(config.admin)} lives.\n`)
  return 0
}

const healthTimeoutMs = 3000

/** What went wrong, or null. */
function askLiveness(host: string, port: number): Promise<string | null> {
  const signal = AbortSignal.timeout(healthTimeoutMs)
  return new Promise(resolve => {
    get({ host, port, path: '/livez', agent: false, signal }, response => {
      response.resume()
      resolve(response.statusCode === 200 ? null : `status ${response.statusCode}`)
    }).on('error', error => resolve(signal.aborted ? `no answer within ${healthTimeoutMs} ms` : error.message))
  })
}

if (import.meta.main) {
  process.exitCode = await runCommand(process.argv.slice(2), {
    env: process.env,
    cwd: process.cwd(),
    stdin: process.stdin,
    print: text => process.stdout.write(text),
    complain: text => process.stderr.write(text),
  })
}
