import { execFile } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { afterAll, expect, test } from 'vitest'
import { sharedSecret } from '../../src/assets/secret.ts'

const folder = mkdtempSync(join(tmpdir(), 'plantain-secret-'))
afterAll(() => rmSync(folder, { recursive: true }))

test('a secret is made once, for the owner’s eyes only, and is the same ever after', () => {
  const directory = join(folder, 'new', 'assets')
  const secret = sharedSecret(directory)
  expect(secret).toMatch(/^[0-9a-f]{64}$/)
  expect(sharedSecret(directory)).toBe(secret)
  expect(readdirSync(directory)).toEqual(['signing-secret'])
  expect(statSync(join(directory, 'signing-secret')).mode & 0o777).toBe(0o600)
  expect(sharedSecret(join(folder, 'another'))).not.toBe(secret)
})

test('processes that start at the same moment agree on one', async () => {
  const directory = join(folder, 'shared')
  const script = fileURLToPath(new URL('secret-process.ts', import.meta.url))
  const atMs = String(Date.now() + 500)
  const run = () => promisify(execFile)(process.execPath, [script, directory, atMs])
  const told = await Promise.all(Array.from({ length: 4 }, run))
  expect(new Set(told.map(({ stdout }) => stdout)).size).toBe(1)
  expect(told[0]?.stdout).toBe(sharedSecret(directory))
  expect(readdirSync(directory)).toEqual(['signing-secret'])
})

test('a file that is empty is no secret: with one, everybody could sign', () => {
  const directory = mkdtempSync(join(folder, 'empty-'))
  writeFileSync(join(directory, 'signing-secret'), '\n')
  expect(() => sharedSecret(directory)).toThrow(/holds no secret: delete it/)
})
