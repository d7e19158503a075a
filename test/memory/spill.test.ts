import { randomBytes } from 'node:crypto'
import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { SpillSpace } from '../../src/memory/spill.ts'
import { openFilesIn } from '../helpers/descriptors.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'spill-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

async function collect(pieces: AsyncIterable<Buffer>): Promise<Buffer> {
  const copies: Buffer[] = []
  for await (const piece of pieces) copies.push(Buffer.from(piece))
  return Buffer.concat(copies)
}

test('the folder is made where it is missing, for this user alone', () => {
  const missing = join(directory, 'a', 'b')
  new SpillSpace(missing, 1)
  expect(statSync(missing).mode & 0o777).toBe(0o700)
})

test('a folder that cannot be made is told at once', () => {
  writeFileSync(join(directory, 'file'), '')
  expect(() => new SpillSpace(join(directory, 'file'), 1)).toThrow('EEXIST')
})

test('a file has no name while it is open, and gives back its room when it is closed', async () => {
  const space = new SpillSpace(directory, 1000)
  const file = await space.open()
  expect(readdirSync(directory)).toEqual([])
  expect(openFilesIn(directory)).toHaveLength(1)
  await file.write([Buffer.alloc(400), Buffer.alloc(200)])
  expect([file.length, space.bytesInUse, space.bytesSpilled]).toEqual([600, 600, 600])
  await file.close()
  await file.close()
  expect([space.bytesInUse, space.bytesSpilled]).toEqual([0, 600])
  expect(openFilesIn(directory)).toEqual([])
})

test('what was written in any pieces is read back from anywhere', async () => {
  const file = await new SpillSpace(directory, 1 << 30).open()
  const bytes = randomBytes(3_000_000)
  const buffer = Buffer.alloc(700_000)
  for (let at = 0; at < bytes.length; at += buffer.length) {
    // The same buffer again: a write is over when its promise settles.
    const size = bytes.copy(buffer, 0, at, at + buffer.length)
    await file.write([buffer.subarray(0, 1), buffer.subarray(1, 300_000), buffer.subarray(300_000, size)])
  }
  for (const [start, length] of [
    [0, bytes.length],
    [0, 0],
    [1, 1],
    [262_143, 2],
    [262_144, 262_144],
    [2_999_999, 1],
    [12_345, 2_000_000],
  ] as const) {
    expect((await collect(file.read(start, length))).equals(bytes.subarray(start, start + length))).toBe(true)
  }
  await file.close()
})

test('more than a thousand chunks go out in one write', async () => {
  const file = await new SpillSpace(directory, 1 << 30).open()
  const chunks = Array.from({ length: 5000 }, (_, index) => Buffer.from(String(index)))
  await file.write(chunks)
  expect((await collect(file.read(0, file.length))).equals(Buffer.concat(chunks))).toBe(true)
  await file.close()
})

test('a reading that ends before the end of its stretch lets the file go', async () => {
  const file = await new SpillSpace(directory, 1 << 30).open()
  await file.write([Buffer.alloc(1 << 20)])
  for await (const piece of file.read(0, 1 << 20)) {
    expect(piece.length).toBeGreaterThan(0)
    break
  }
  await file.close()
  expect(openFilesIn(directory)).toEqual([])
})

test('a stretch that was never written is an error, not an endless reading', async () => {
  const file = await new SpillSpace(directory, 1 << 30).open()
  await file.write([Buffer.alloc(10)])
  await expect(collect(file.read(5, 10))).rejects.toThrow('shorter than what was written')
  await file.close()
  await expect(collect(file.read(0, 5))).rejects.toThrow('closed')
})

test('a space is full only while somebody holds what fills it', async () => {
  const space = new SpillSpace(directory, 100)
  const file = await space.open()
  const holder = {}
  space.line.enter(holder)
  await file.write([Buffer.alloc(100)])
  expect(space.full).toBe(true)
  const changed = space.changed(new AbortController().signal)
  await file.close()
  await changed
  expect(space.full).toBe(false)
  space.line.leave(holder)
  expect(new SpillSpace(directory, 0).full).toBe(false)
})

test('waiting for room ends when the signal aborts, also one that has', async () => {
  const { line } = new SpillSpace(directory, 100)
  await line.wait(AbortSignal.abort())
  const controller = new AbortController()
  const waiting = line.wait(controller.signal)
  controller.abort()
  await waiting
})
