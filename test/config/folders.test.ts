import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { ConfigError } from '../../src/config/config-error.ts'
import { checkFolders } from '../../src/config/folders.ts'
import { load } from './setup.ts'

const directory = mkdtempSync(join(tmpdir(), 'plantain-folders-'))
afterAll(() => rmSync(directory, { recursive: true }))

const settings = (answers: object, assets: object) => load(JSON.stringify({ answers, assets }))

test('folders that are missing are made, and nothing is left in them', () => {
  const [spill, assets] = [join(directory, 'new/spill'), join(directory, 'new/assets')]
  checkFolders(settings({ spill_dir: spill }, { dir: assets }))
  expect(readdirSync(spill)).toEqual([])
  expect(readdirSync(join(assets, 'tmp'))).toEqual([])
})

test('a folder that is there and takes no files is told, before an answer needs it', () => {
  // It takes none from root either, as whom tests may run.
  const read = settings({ spill_dir: '/proc/self' }, { dir: join(directory, 'assets') })
  expect(() => checkFolders(read)).toThrow(ConfigError)
  expect(() => checkFolders(read)).toThrow(/answers\.spill_dir: no file can be written in \/proc\/self \(/)
})

test.each(['/proc/plantain', '/proc/plantain/assets'])('a folder that can’t be made is told at once: %s', dir => {
  const read = settings({ spill_dir: join(directory, 'spill') }, { dir })
  expect(() => checkFolders(read)).toThrow(`assets.dir: no file can be written in ${dir} (no folder can be made there)`)
})

test('where nothing is to be written, the folder does not matter', () => {
  const bucket = { bucket: 'pictures', endpoint: 'https://s3.example', access_key: 'k', secret_key: 'k' }
  const assets = { dir: '/dev/null/assets', s3: bucket, signing_secret: 's'.repeat(32) }
  expect(() => checkFolders(settings({ spill: 0, spill_dir: '/dev/null' }, assets))).not.toThrow()
})
