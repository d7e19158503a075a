/** The sink, over real pipes and files: nothing lost while it can be written, nobody held up while it cannot. */
import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createSink } from '../../src/telemetry/sink.ts'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'plantain-sink-'))
})
afterAll(() => rmSync(folder, { recursive: true }))

test('lines arrive whole and in order', async () => {
  const file = join(folder, 'log')
  const fd = openSync(file, 'w')
  const sink = createSink(fd, 1_000_000, () => '')
  const lines = Array.from({ length: 5000 }, (_, index) => `line ${index} ü\n`)
  for (const line of lines.slice(0, 2500)) sink.write(line)
  await new Promise(resolve => setImmediate(resolve))
  for (const line of lines.slice(2500)) sink.write(line)
  await sink.flush(10_000)
  closeSync(fd)
  expect(readFileSync(file, 'utf8')).toBe(lines.join(''))
})

test('where an output is shared, each write is whole lines, and no longer than what stays together in a pipe', async () => {
  const most = 4096
  const talker = `
    import { createSink, standardOutput } from ${JSON.stringify(new URL('../../src/telemetry/sink.ts', import.meta.url).href)}
    const sink = createSink(standardOutput(), 10_000_000, () => '', ${most})
    for (let index = 0; index < 3000; index++) sink.write(process.argv[1] + index + ' ' + 'ü'.repeat(index % 500) + '\\n')
    await sink.flush(10_000)
  `
  const args = ['--input-type=module', '--eval', talker]
  // A reader that comes late to a full pipe: then writes are taken in part, unless they stay together.
  const reader = spawn('sh', [
    '-c',
    '{ "$0" "$@" a & "$0" "$@" b & wait; } | { sleep 0.3; cat; }',
    process.execPath,
    ...args,
  ])
  let text = ''
  reader.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk
  })
  await once(reader, 'close')
  const lines = text.split('\n').slice(0, -1)
  expect(lines).toHaveLength(6000)
  expect(lines.filter(line => !/^[ab]\d+ ü*$/.test(line))).toEqual([])
})

test('a full disk loses lines and nothing else, and the loss is told when there is room again', async () => {
  const full = openSync('/dev/full', 'w')
  const told: number[] = []
  const sink = createSink(full, 1_000_000, count => {
    told.push(count)
    return 'lost\n'
  })
  sink.write('one\n')
  await sink.flush(10_000)
  sink.write('two\n')
  await sink.flush(10_000)
  sink.write('three\n')
  await sink.flush(10_000)
  closeSync(full)
  expect(told).toEqual([1, 2])
})

const written = 20_000

/** A process that logs far more than its pipe and its bound hold, then goes on; asked to end, it logs one more line. */
const talker = `
  import { createSink, standardOutput } from ${JSON.stringify(new URL('../../src/telemetry/sink.ts', import.meta.url).href)}
  const sink = createSink(standardOutput(), 200_000, count => 'dropped ' + count + '\\n')
  for (let index = 0; index < ${written}; index++) sink.write('line ' + index + ' ' + 'f'.repeat(100) + '\\n')
  setTimeout(() => process.stderr.write('still serving'), 10)
  process.once('SIGTERM', async () => {
    sink.write('last\\n')
    await sink.flush(500)
    process.exit(0)
  })
  setInterval(() => {}, 1000)
`

async function stuckTalker(): Promise<ChildProcessByStdio<null, Readable, Readable>> {
  const args = ['--input-type=module', '--eval', talker]
  const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'pipe'] })
  const [said] = await once(child.stderr, 'data')
  expect(String(said)).toBe('still serving')
  return child
}

test('a process whose log nobody reads serves on, and exits when asked', async () => {
  const child = await stuckTalker()
  child.kill('SIGTERM')
  expect(await once(child, 'exit')).toEqual([0, null])
})

test('a reader that comes back gets every line that was kept, and the number of those that were not', async () => {
  const child = await stuckTalker()
  let text = ''
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    if (text === '') child.kill('SIGTERM')
    text += chunk
  })
  await once(child, 'close')
  const lines = text.split('\n').slice(0, -1)
  const kept = lines.filter(line => line.startsWith('line '))
  const dropped = lines.filter(line => line.startsWith('dropped ')).map(line => Number(line.slice('dropped '.length)))
  expect(kept.every(line => line.endsWith(` ${'f'.repeat(100)}`))).toBe(true)
  expect(kept.length + dropped.reduce((sum, count) => sum + count, 0) + Number(lines.includes('last'))).toBe(
    written + 1,
  )
})
