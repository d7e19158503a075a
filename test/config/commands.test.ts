import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { afterAll, describe, expect, test } from 'vitest'
import { runCommand } from '../../src/commands.ts'

const cwd = mkdtempSync(join(tmpdir(), 'plantain-commands-'))
afterAll(() => rmSync(cwd, { recursive: true }))
writeFileSync(join(cwd, 'wrong.yaml'), 'listen: { prot: 80 }\n')
writeFileSync(join(cwd, 'right.yaml'), 'callers: [{ id: team-a, key: secret-key }]\nlisten: { host: "::1" }\n')

const sha256OfAbc = 'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad'

interface Run {
  readonly exitCode: number
  readonly printed: string
  readonly complained: string
}

async function run(
  args: readonly string[],
  { env = {}, input = '' }: { env?: Record<string, string>; input?: string } = {},
): Promise<Run> {
  let printed = ''
  let complained = ''
  const exitCode = await runCommand(args, {
    env,
    cwd,
    stdin: Readable.from([input]),
    print: words => (printed += words),
    complain: words => (complained += words),
  })
  return { exitCode, printed, complained }
}

describe('check-config', () => {
  test('sums up what is right and exits with 0', async () => {
    const { exitCode, printed } = await run(['check-config', 'right.yaml'], { env: { GEMINI_API_KEY: 'secret-key-2' } })
    expect(exitCode).toBe(0)
    expect(printed).toContain('The configuration is right.')
    expect(printed).toContain('[::1]:8080')
    expect(printed).toContain('team-a')
    expect(printed).toContain('upstream gemini from GEMINI_API_KEY')
    expect(printed).not.toContain('secret-key')
  })

  test('says what is wrong and exits with 78', async () => {
    const { exitCode, printed, complained } = await run(['check-config', 'wrong.yaml'])
    expect({ exitCode, printed }).toEqual({ exitCode: 78, printed: '' })
    expect(complained).toContain('wrong.yaml:1  listen.prot: unknown key; did you mean port?')
  })

  test('says what is wrong with models of your own, beside all else that is wrong, each with its line', async () => {
    writeFileSync(
      join(cwd, 'models.yaml'),
      'listen: { prot: 80 }\nmodels:\n  - id: mine\n    protocl: gemini\n  - nonsense\n',
    )
    const { exitCode, complained } = await run(['check-config', 'models.yaml'])
    expect(exitCode).toBe(78)
    expect(complained.split('\n').slice(1, -1)).toEqual([
      expect.stringContaining('models.yaml:1  listen.prot: unknown key'),
      expect.stringContaining('models.yaml:3  models[0].protocol: '),
      expect.stringContaining('models.yaml:4  models[0].protocl: unknown key'),
      expect.stringContaining('models.yaml:5  models[1]: expected an entry with an id'),
    ])
  })

  test('without a file it checks the one that PLANTAIN_CONFIG names', async () => {
    expect((await run(['check-config'], { env: { PLANTAIN_CONFIG: 'wrong.yaml' } })).exitCode).toBe(78)
    expect((await run(['check-config'])).exitCode).toBe(0)
    expect((await run(['check-config', 'absent.yaml'])).exitCode).toBe(78)
  })
})

describe('print-config', () => {
  test('prints all of it with secrets masked', async () => {
    const { exitCode, printed } = await run(['print-config'], { env: { PLANTAIN_CONFIG: 'right.yaml' } })
    expect(exitCode).toBe(0)
    expect(printed).toContain('max_body: 100MiB')
    expect(printed).not.toContain('secret-key')
  })

  test('exits with 78 where it is wrong', async () => {
    expect((await run(['print-config'], { env: { PLANTAIN_CONFIG: 'wrong.yaml' } })).exitCode).toBe(78)
  })
})

describe('hash-key', () => {
  test('reads the key from standard input, without the newline at its end', async () => {
    expect(await run(['hash-key'], { input: 'abc\n' })).toEqual({
      exitCode: 0,
      printed: `${sha256OfAbc}\n`,
      complained: '',
    })
  })

  test('takes it as an argument too, with a warning', async () => {
    const { exitCode, printed, complained } = await run(['hash-key', 'abc'])
    expect({ exitCode, printed }).toEqual({ exitCode: 0, printed: `${sha256OfAbc}\n` })
    expect(complained).toContain('history')
  })

  test('refuses what no header can carry, without repeating it', async () => {
    for (const input of ['', 'two words', 'k'.repeat(257)]) {
      const { exitCode, printed, complained } = await run(['hash-key'], { input })
      expect({ exitCode, printed }).toEqual({ exitCode: 64, printed: '' })
      if (input !== '') expect(complained).not.toContain(input)
    }
  })
})

describe('healthcheck', () => {
  async function withAdmin(answer: RequestListener, check: (port: number) => Promise<void>): Promise<void> {
    const server = createServer(answer).listen(0, '127.0.0.1')
    await once(server, 'listening')
    await check((server.address() as AddressInfo).port)
    server.closeAllConnections()
    server.close()
  }

  test('asks /livez of the admin listener, also where it listens on every address', async () => {
    const livez: RequestListener = (request, response) => response.writeHead(request.url === '/livez' ? 200 : 404).end()
    await withAdmin(livez, async port => {
      const env = { PLANTAIN_ADMIN_PORT: String(port) }
      expect((await run(['healthcheck'], { env })).exitCode).toBe(0)
      const everywhere = { ...env, PLANTAIN_ADMIN_HOST: '0.0.0.0', PLANTAIN_ADMIN_TOKEN: 't' }
      expect((await run(['healthcheck'], { env: everywhere })).exitCode).toBe(0)
    })
  })

  test('exits with 1 where the answer is another, where nobody answers, and where the configuration is wrong', async () => {
    let closedPort = 0
    await withAdmin(
      (_, response) => response.writeHead(503).end(),
      async port => {
        closedPort = port
        const { exitCode, complained } = await run(['healthcheck'], { env: { PLANTAIN_ADMIN_PORT: String(port) } })
        expect(exitCode).toBe(1)
        expect(complained).toContain('503')
      },
    )
    expect((await run(['healthcheck'], { env: { PLANTAIN_ADMIN_PORT: String(closedPort) } })).exitCode).toBe(1)
    expect((await run(['healthcheck'], { env: { PLANTAIN_CONFIG: 'wrong.yaml' } })).exitCode).toBe(1)
    expect((await run(['healthcheck'], { env: { PLANTAIN_ADMIN_PORT: '0' } })).complained).toContain('fixed')
  })
})

test.each([
  [[]],
  [['paint']],
  [['check-config', 'a', 'b']],
  [['print-config', 'a']],
  [['healthcheck', 'a']],
  [['hash-key', '--secret']],
])('the usage is printed for %j', async args => {
  const { exitCode, printed, complained } = await run(args)
  expect({ exitCode, printed }).toEqual({ exitCode: 64, printed: '' })
  expect(complained).toMatch(/^usage: /)
})

test('the usage is printed when asked for', async () => {
  const { exitCode, printed } = await run(['--help'])
  expect(exitCode).toBe(0)
  for (const command of ['check-config', 'print-config', 'hash-key', 'healthcheck']) expect(printed).toContain(command)
})

test('the script is a program of its own, wherever it is started', async () => {
  const script = fileURLToPath(new URL('../../src/commands.ts', import.meta.url))
  const child = spawn(process.execPath, [script, 'hash-key'], { cwd, stdio: ['pipe', 'pipe', 'ignore'] })
  child.stdin.end('abc')
  const exited = once(child, 'exit')
  expect(await text(child.stdout)).toBe(`${sha256OfAbc}\n`)
  expect(await exited).toEqual([0, null])
})
