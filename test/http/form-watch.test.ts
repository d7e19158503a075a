/** Counting parts and bytes beside a form's parser: the same whatever the cuts. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { FormWatch } from '../../src/http/form-watch.ts'
import { boundary, formBytes } from '../helpers/forms.ts'

function watched(bytes: Buffer, cuts: readonly number[]): { parts: number; length: number } {
  const watch = new FormWatch(boundary, 1 << 20, () => {})
  const places = [0, ...cuts.map(cut => cut % (bytes.length + 1)).toSorted((a, b) => a - b), bytes.length]
  for (const [index, start] of places.entries()) watch.push(bytes.subarray(start, places[index + 1] ?? bytes.length))
  return { parts: watch.parts, length: watch.length }
}

const content = fc.oneof(
  fc.uint8Array({ maxLength: 200 }).map(bytes => Buffer.from(bytes)),
  // What nearly is a delimiter.
  fc.integer({ min: 0, max: boundary.length - 1 }).map(end => Buffer.from(`\r\n--${boundary.slice(0, end)}\r\n-`)),
)

test('a form’s parts are counted, however it is cut', () => {
  fc.assert(
    fc.property(fc.array(content, { maxLength: 6 }), fc.array(fc.nat(), { maxLength: 12 }), (values, cuts) => {
      const bytes = formBytes(values.map(value => ({ name: 'x', value })))
      expect(watched(bytes, cuts)).toEqual({ parts: values.length, length: bytes.length })
    }),
    { numRuns: 500 },
  )
})

test('byte by byte too', () => {
  const bytes = formBytes([
    { name: 'a', value: '1' },
    { name: 'b', value: `\r\n--${boundary.slice(0, -1)}x` },
  ])
  const watch = new FormWatch(boundary, 1 << 20, () => {})
  for (const byte of bytes) watch.push(Buffer.from([byte]))
  expect([watch.parts, watch.length]).toEqual([2, bytes.length])
})

test('what stands behind the end of the form does not count', () => {
  const bytes = Buffer.concat([formBytes([{ name: 'a', value: '1' }]), formBytes([{ name: 'b', value: '2' }])])
  expect(watched(bytes, []).parts).toBe(1)
})

test('too many bytes are told once, at the chunk that brings them', () => {
  let told = 0
  const watch = new FormWatch(boundary, 10, () => {
    told += 1
  })
  watch.push(Buffer.alloc(10))
  expect(told).toBe(0)
  for (let chunk = 0; chunk < 3; chunk++) watch.push(Buffer.alloc(1))
  expect(told).toBe(1)
})

test('a chunk that was passed on whole is counted and not searched, and a delimiter behind it is found across the border', () => {
  const watch = new FormWatch('frontier', 10_000, () => {})
  const head = Buffer.from('--frontier\r\ncontent-disposition: form-data; name="image"; filename="a.png"\r\n\r\n')
  const content = Buffer.from(`${'x'.repeat(100)}\r\n--fron`)
  const rest = Buffer.from('tier--\r\n')
  watch.push(head)
  const whole = Buffer.from('y'.repeat(200))
  watch.passed(whole)
  watch.push(whole)
  // Of this one the parser keeps the end back.
  watch.passed(content.subarray(0, 100))
  watch.push(content)
  watch.push(rest)
  expect([watch.parts, watch.isEnded]).toEqual([1, true])
  expect(watch.length).toBe(head.length + whole.length + content.length + rest.length)
})
