/** HTTP as bytes on a socket: for what no client library would send, and for what none shows (the reason phrase). */
import { connect, type Socket } from 'node:net'

export interface RawAnswer {
  readonly status: number
  readonly reason: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string
}

/** Sends the bytes and reads one answer. Rejects where the connection ends before one was whole. */
export async function rawHttp(url: string, ...bytes: readonly (string | Buffer)[]): Promise<RawAnswer> {
  const socket = await open(url)
  try {
    const answer = readAnswer(socket)
    for (const piece of bytes) socket.write(piece)
    return await answer
  } finally {
    socket.destroy()
  }
}

export function open(url: string): Promise<Socket> {
  const { hostname, port } = new URL(url)
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => resolve(socket))
    socket.once('error', reject)
    // A reset after the answer came is the server's right.
    socket.on('error', () => {})
  })
}

/** The next answer on a connection that is used for one at a time. */
export function readAnswer(socket: Socket): Promise<RawAnswer> {
  return new Promise((resolve, reject) => {
    let text = ''
    const look = () => {
      const answer = parse(text, socket.readableEnded)
      if (!answer) return
      stop()
      resolve(answer)
    }
    const onData = (chunk: Buffer) => {
      text += chunk.toString('latin1')
      look()
    }
    const onClose = () => {
      stop()
      const answer = parse(text, true)
      if (answer) resolve(answer)
      else reject(new Error(`The connection ended after ${JSON.stringify(text.slice(0, 200))}`))
    }
    const stop = () => {
      socket.off('data', onData)
      socket.off('close', onClose)
    }
    socket.on('data', onData)
    socket.on('close', onClose)
  })
}

function parse(text: string, ended: boolean): RawAnswer | null {
  const end = text.indexOf('\r\n\r\n')
  if (end === -1) return null
  const [first = '', ...lines] = text.slice(0, end).split('\r\n')
  const match = /^HTTP\/1\.1 (\d{3}) (.*)$/.exec(first)
  if (!match) throw new Error(`No status line: ${first}`)
  const headers = Object.fromEntries(
    lines.map(line => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()]),
  )
  const body = text.slice(end + 4)
  const length = Number(headers['content-length'] ?? 0)
  if (!ended && body.length < length) return null
  return { status: Number(match[1]), reason: match[2] ?? '', headers, body: Buffer.from(body, 'latin1').toString() }
}
