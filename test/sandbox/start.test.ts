/** The sandbox as people start it. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { startSandbox } from '../../src/sandbox/start.ts'

const main = new URL('../../src/sandbox/main.ts', import.meta.url).pathname

function run(port: string) {
  const child = spawn(process.execPath, [main], { env: { ...process.env, PLANTAIN_SANDBOX_PORT: port } })
  onTestFinished(() => {
    child.kill('SIGKILL')
  })
  return child
}

test('npm run sandbox prints its address and serves there', async () => {
  const child = run('0')
  const [printed] = await once(child.stdout, 'data')
  const address = /listens on (http:\/\/127\.0\.0\.1:\d+) and paints as gemini-/.exec(String(printed))?.[1]
  expect(String(printed)).toContain(`curl -s ${address}/v1beta/models/`)
  const { models } = (await (await fetch(`${address}/v1beta/models?key=any`)).json()) as { models: object[] }
  expect(models.length).toBeGreaterThanOrEqual(5)
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([null, 'SIGTERM'])
})

test('a port that is none, or is taken, is said in a sentence, with exit code 1', async () => {
  const taken = await startSandbox({ port: 0, host: '127.0.0.1' })
  onTestFinished(() => taken.close())
  for (const [port, says] of [
    ['high', "PLANTAIN_SANDBOX_PORT is 'high'"],
    [new URL(taken.url).port, 'EADDRINUSE'],
  ] as const) {
    const child = run(port)
    const [[complaint], [code]] = await Promise.all([once(child.stderr, 'data'), once(child, 'exit')])
    expect([String(complaint), code]).toEqual([expect.stringContaining(says), 1])
  }
})

test('what an operator added to the catalogue is served too', async () => {
  const extraModels = [{ id: 'gemini-own', name: 'Own', protocol: 'gemini', search: false }]
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1', extraModels })
  onTestFinished(() => sandbox.close())
  expect(sandbox.models).toContain('gemini-own')
  expect((await fetch(`${sandbox.url}/v1/models/gemini-own?key=any`)).status).toBe(200)
})

test('closing ends what is under way', async () => {
  const sandbox = await startSandbox({ port: 0, host: '127.0.0.1' })
  const waiting = fetch(`${sandbox.url}/v1/models/${sandbox.models[0]}:generateContent?key=any`, {
    method: 'POST',
    body: JSON.stringify({ contents: [{ parts: [{ text: '[sandbox delay=60s]' }] }] }),
  })
  waiting.catch(() => {})
  await new Promise(resolve => setTimeout(resolve, 50))
  await sandbox.close()
  await expect(waiting).rejects.toThrow()
})
