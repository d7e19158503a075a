/** Everything an upstream's connection can do wrong, and what a caller must get then. */
import { gzipSync } from 'node:zlib'
import { dribble, type RawScript, rawChunk, rawHead } from '../helpers/raw-upstream.ts'
import { pictureAnswer } from './answers.ts'

export interface Fault {
  /** Completes the sentence "an upstream that …". */
  readonly name: string
  readonly script: RawScript
  /** What it is to the caller. `fine`: the whole picture. `cut`: an error when translated, and when relayed a cut connection. */
  readonly is: 'fine' | 'failed' | 'timeout' | 'cut' | 'cut by time'
  /** Its HTTP is right, so the connection may serve again. Else the gateway must hang up. */
  readonly reusable?: true
}

/** Larger than the buffers of a socket, so that the relay has sent some of it on when the fault comes. */
export const picture = pictureAnswer(300_000)
const { bytes, midImage, afterImage } = picture

const json = 'content-type: application/json; charset=UTF-8'
const exactly = (length: number) => `content-length: ${length}`
const chunked = 'transfer-encoding: chunked'
const whole = rawHead('200 OK', json, exactly(bytes.length))

/** Sends what is given, then ends the connection in good order. */
const closing =
  (...pieces: readonly (string | Buffer)[]): RawScript =>
  ({ socket }) => {
    for (const piece of pieces) socket.write(piece)
    socket.end()
  }

/** Sends what is given and keeps the connection. */
const keeping =
  (...pieces: readonly (string | Buffer)[]): RawScript =>
  ({ socket }) => {
    for (const piece of pieces) socket.write(piece)
  }

/** Sends what is given and, once the gateway can have read it, resets the connection. */
const resetting =
  (...pieces: readonly (string | Buffer)[]): RawScript =>
  ({ socket }) => {
    for (const piece of pieces) socket.write(piece)
    setTimeout(() => socket.resetAndDestroy(), 50)
  }

const answering = (status: string, body: string | Buffer, ...headers: readonly string[]): RawScript =>
  keeping(rawHead(status, exactly(Buffer.byteLength(body)), ...headers), body)

export const answerWhole: RawScript = keeping(whole, bytes)

const before = (end: number) => bytes.subarray(0, end)
const headersOf = (size: number) => Array.from({ length: size / 100 }, (_, n) => `x-${1000 + n}: ${'v'.repeat(92)}`)

export const faults: readonly Fault[] = [
  { name: 'closes before any byte', script: closing(), is: 'failed' },
  { name: 'resets before any byte', script: ({ socket }) => void socket.resetAndDestroy(), is: 'failed' },
  { name: 'dies in its headers', script: closing('HTTP/1.1 200 OK\r\ncontent-ty'), is: 'failed' },
  { name: 'resets in its headers', script: resetting('HTTP/1.1 200 OK\r\ncontent-ty'), is: 'failed' },
  { name: 'dies after its headers', script: closing(whole), is: 'failed' },
  { name: 'dies after chunked headers', script: closing(rawHead('200 OK', json, chunked)), is: 'failed' },
  { name: 'dies in the picture', script: closing(whole, before(midImage)), is: 'cut' },
  { name: 'resets in the picture', script: resetting(whole, before(midImage)), is: 'cut' },
  {
    name: 'dies in a chunked picture',
    script: closing(rawHead('200 OK', json, chunked), rawChunk(before(midImage))),
    is: 'cut',
  },
  {
    name: 'dies inside a chunk',
    script: closing(rawHead('200 OK', json, chunked), rawChunk(bytes).subarray(0, midImage)),
    is: 'cut',
  },
  { name: 'dies after the picture', script: closing(whole, before(afterImage)), is: 'cut' },
  {
    name: 'dies after the picture, chunked',
    script: closing(rawHead('200 OK', json, chunked), rawChunk(before(afterImage))),
    is: 'cut',
  },
  { name: 'dies one byte before the end', script: closing(whole, before(bytes.length - 1)), is: 'cut' },
  {
    name: 'never sends the last chunk',
    script: closing(rawHead('200 OK', json, chunked), rawChunk(bytes)),
    is: 'cut',
  },
  { name: 'closes after the whole document', script: closing(whole, bytes), is: 'fine' },
  {
    name: 'ends the connection to end the document',
    script: closing(rawHead('200 OK', json, 'connection: close'), bytes),
    is: 'fine',
  },
  {
    name: 'ends the connection in the picture, with no length announced',
    script: closing(rawHead('200 OK', json, 'connection: close'), before(midImage)),
    is: 'cut',
  },
  {
    name: 'ends the connection after the picture, with no length announced',
    script: closing(rawHead('200 OK', json, 'connection: close'), before(afterImage)),
    is: 'cut',
  },
  {
    name: 'resets in the picture, with no length announced',
    script: resetting(rawHead('200 OK', json, 'connection: close'), before(midImage)),
    is: 'cut',
  },
  {
    name: 'announces a whole document and sends half of one',
    script: keeping(rawHead('200 OK', json, exactly(midImage)), before(midImage)),
    is: 'cut',
    reusable: true,
  },
  {
    name: 'sends chunk sizes that are no numbers',
    script: keeping(rawHead('200 OK', json, chunked), rawChunk(before(midImage)), 'zz\r\n'),
    is: 'cut',
  },
  { name: 'sends nothing in a 200', script: answering('200 OK', '', json), is: 'failed', reusable: true },
  {
    name: 'sends nothing in a chunked 200',
    script: keeping(rawHead('200 OK', json, chunked), '0\r\n\r\n'),
    is: 'failed',
    reusable: true,
  },
  {
    name: 'sends HTML in a chunked 200',
    script: keeping(
      rawHead('200 OK', 'content-type: text/html', chunked),
      rawChunk(Buffer.from('<html>Sign in</html>')),
      '0\r\n\r\n',
    ),
    is: 'failed',
    reusable: true,
  },
  {
    name: 'sends HTML in a 200',
    script: answering('200 OK', '<html>Sign in</html>', 'content-type: text/html'),
    is: 'failed',
    reusable: true,
  },
  { name: 'speaks no HTTP', script: keeping('220 mail.test ESMTP\r\n'), is: 'failed' },
  {
    name: 'sends a NUL in a header',
    script: keeping(rawHead('200 OK', 'x-odd: a\0b', exactly(2)), '{}'),
    is: 'failed',
  },
  { name: 'folds a header', script: keeping(rawHead('200 OK', 'x-odd: a\r\n b', exactly(2)), '{}'), is: 'failed' },
  {
    name: 'announces a length and chunks',
    script: keeping(rawHead('200 OK', json, chunked, exactly(2)), rawChunk(bytes), '0\r\n\r\n'),
    is: 'failed',
  },
  {
    name: 'announces two lengths',
    script: keeping(rawHead('200 OK', json, exactly(2), exactly(bytes.length)), bytes),
    is: 'failed',
  },
  {
    name: 'sends 20 KB of headers',
    script: keeping(rawHead('200 OK', ...headersOf(20_000), exactly(2)), '{}'),
    is: 'failed',
  },
  { name: 'sends 100 unasked', script: keeping(rawHead('100 Continue'), whole, bytes), is: 'failed' },
  {
    name: 'switches protocols unasked',
    script: keeping(rawHead('101 Switching Protocols', 'upgrade: ws', 'connection: upgrade')),
    is: 'failed',
  },
  {
    name: 'sends early hints first',
    script: keeping(rawHead('103 Early Hints', 'link: </x>'), whole, bytes),
    is: 'fine',
  },
  {
    name: 'redirects',
    script: answering('302 Found', '', 'location: http://169.254.169.254/latest'),
    is: 'failed',
    reusable: true,
  },
  { name: 'answers 204', script: keeping(rawHead('204 No Content')), is: 'failed', reusable: true },
  {
    name: 'answers 204 with a body',
    script: keeping(rawHead('204 No Content', exactly(bytes.length)), bytes),
    is: 'failed',
  },
  { name: 'answers 299', script: answering('299 Whatever', bytes, json), is: 'failed', reusable: true },
  { name: 'answers 999', script: answering('999 Whatever', '{}', json), is: 'failed', reusable: true },
  {
    name: 'compresses unasked',
    script: answering('200 OK', gzipSync(bytes), json, 'content-encoding: gzip'),
    is: 'failed',
  },
  { name: 'sends more than it announced', script: keeping(whole, bytes, 'HTTP/1.1 200 OK\r\n'), is: 'fine' },
  {
    name: 'dies in an error',
    script: closing(rawHead('429 Too Many', json, exactly(500)), '{"error":{"code":429,"mess'),
    is: 'failed',
  },
  { name: 'never answers', script: () => {}, is: 'timeout' },
  {
    name: 'sends its headers byte by byte',
    script: ({ socket }) => dribble(socket, Buffer.from(whole), 100),
    is: 'timeout',
  },
  { name: 'stalls after its headers', script: keeping(whole), is: 'timeout' },
  { name: 'stalls in the picture', script: keeping(whole, before(midImage)), is: 'cut by time' },
  {
    name: 'sends the picture byte by byte',
    script: ({ socket }) => {
      socket.write(whole)
      return dribble(socket, bytes, 100)
    },
    is: 'cut by time',
  },
]
