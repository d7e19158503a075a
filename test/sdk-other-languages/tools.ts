/** What runs the programs: Python with the SDKs in an environment of its own, Go with its modules, curl. */
import { execFile } from 'node:child_process'
import { copyFile, mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'

const here = fileURLToPath(new URL('.', import.meta.url))

export interface Surroundings {
  readonly cwd?: string
  /** Beside the machine's own, without what would lead an SDK elsewhere. */
  readonly env?: Readonly<Record<string, string>>
}

/** What the program printed. @throws Error with what it complained of, where its exit code is not 0. */
export async function run(command: string, args: readonly string[], { cwd, env }: Surroundings = {}): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, args, {
      ...(cwd !== undefined && { cwd }),
      env: { ...neutralEnvironment(), ...env },
      maxBuffer: 256 << 20,
    })
    return stdout
  } catch (error) {
    const { code, stdout = '', stderr = '' } = error as { code?: unknown; stdout?: string; stderr?: string }
    const said = `${stdout.slice(-2000)}\n${stderr.slice(-4000)}`.trim()
    throw new Error(`${command} ${args.join(' ')} ended with ${code}:\n${said}`, { cause: error })
  }
}

/** The machine's variables, but for those that name keys, addresses or versions of any of these APIs. */
export function neutralEnvironment(): Record<string, string | undefined> {
  const kept = Object.entries(process.env).filter(
    ([name]) => !/^(?:PLANTAIN_|OPENAI_|AZURE_OPENAI_|GEMINI_|GOOGLE_|REDIS_URL|NODE_OPTIONS|VITEST)/.test(name),
  )
  return { ...Object.fromEntries(kept), NO_PROXY: '127.0.0.1', no_proxy: '127.0.0.1' }
}

const tools = {
  python: { command: 'python3', args: ['-c', 'import ensurepip, venv'], name: 'Python 3 with its venv module' },
  go: { command: 'go', args: ['version'], name: 'Go (https://go.dev/dl)' },
  curl: { command: 'curl', args: ['--version'], name: 'curl' },
} as const

/** Is the tool on this machine? If not, that is said; with `CI=true` it is an error: nothing is to be left out there. */
export async function has(tool: keyof typeof tools): Promise<boolean> {
  const { command, args, name } = tools[tool]
  try {
    await run(command, args)
    return true
  } catch (error) {
    const message = `These tests need ${name}, and '${command} ${args.join(' ')}' fails.`
    if (process.env.CI === 'true') throw new Error(message, { cause: error })
    process.stderr.write(`\nLeft out: ${message}\n`)
    return false
  }
}

/** What can be installed, each in an environment of its own: the clients want other versions of the SDKs. */
export type Packages = 'sdks' | 'clients'

/** The interpreter of an environment that has the packages of `python/<packages>.txt`. Made once, and again when that file changes. */
export async function preparePython(packages: Packages): Promise<string> {
  const environment = join(here, '.venv', packages)
  const requirements = join(here, 'python', `${packages}.txt`)
  const installed = join(environment, 'requirements.txt')
  const interpreter = join(environment, 'bin', 'python')
  if ((await textOf(installed)) === (await textOf(requirements))) return interpreter
  await rm(environment, { recursive: true, force: true })
  await run('python3', ['-m', 'venv', environment])
  await run(interpreter, ['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check', '-r', requirements])
  await copyFile(requirements, installed)
  return interpreter
}

const textOf = (path: string) => readFile(path, 'utf8').catch(() => null)

export const goModule = join(here, 'go')

/** Builds every program below a module's folder. @returns the folder with what was built, each named after its folder. */
export async function buildGo(module: string): Promise<string> {
  const built = await mkdtemp(join(tmpdir(), 'plantain-go-'))
  await run('go', ['build', '-buildvcs=false', '-o', `${built}/`, './...'], { cwd: module })
  return built
}
