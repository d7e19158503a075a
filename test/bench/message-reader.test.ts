import fc from 'fast-check'
import { expect, test } from 'vitest'
import { MessageReader } from '../../bench/message-reader.ts'

/** Feeds the bytes in the pieces that the cuts make; returns what the reader saw and after how many bytes it was whole. */
function readInPieces(bytes: Buffer, cuts: readonly number[], reader: MessageReader): number | undefined {
  const edges = [...new Set([0, ...cuts.map(cut => cut % bytes.length), bytes.length])].toSorted((a, b) => a - b)
  for (const [index, start] of edges.entries()) {
    const end = edges[index + 1]
    if (end !== undefined && reader.feed(bytes.subarray(start, end))) return end
  }
  return undefined
}

const bodies = fc.array(fc.uint8Array({ minLength: 1, maxLength: 40 }), { minLength: 1, maxLength: 6 })
const cuts = fc.array(fc.nat(), { maxLength: 12 })

test('an answer with content-length is whole with its last byte, however it is cut', () => {
  fc.assert(
    fc.property(bodies, cuts, (pieces, where) => {
      const seen: Buffer[] = []
      const reader = new MessageReader(piece => seen.push(Buffer.from(piece)))
      const body = Buffer.concat(pieces)
      const head = Buffer.from(`HTTP/1.1 200 OK\r\nContent-Type: x\r\nContent-Length: ${body.length}\r\n\r\n`)
      const bytes = Buffer.concat([head, body])
      expect(readInPieces(bytes, where, reader)).toBe(bytes.length)
      expect(reader.status).toBe(200)
      expect(reader.bodyBytes).toBe(body.length)
      expect(Buffer.concat(seen)).toEqual(body)
    }),
  )
})

test('a chunked answer is whole with its last line, however it is cut, and its framing is no body', () => {
  fc.assert(
    fc.property(bodies, cuts, (pieces, where) => {
      const seen: Buffer[] = []
      const reader = new MessageReader(piece => seen.push(Buffer.from(piece)))
      const chunks = pieces.flatMap(piece => [`${piece.length.toString(16)}\r\n`, piece, '\r\n'])
      const head = 'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n'
      const bytes = Buffer.concat([head, ...chunks, '0\r\n\r\n'].map(part => Buffer.from(part)))
      expect(readInPieces(bytes, where, reader)).toBe(bytes.length)
      expect(Buffer.concat(seen)).toEqual(Buffer.concat(pieces))
    }),
  )
})

test('the answers of one connection are told apart', () => {
  const reader = new MessageReader(() => {})
  expect(reader.feed(Buffer.from('HTTP/1.1 200 OK\r\ncontent-length: 3\r\n\r\nabc'))).toBe(true)
  expect(reader.feed(Buffer.from('HTTP/1.1 503 Full\r\ncontent-length: 0\r\n\r\n'))).toBe(true)
  expect([reader.status, reader.bodyBytes]).toEqual([503, 0])
})
