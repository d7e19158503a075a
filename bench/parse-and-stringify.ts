/**
 * The gateway as it is usually written: read everything, `JSON.parse`, build the other protocol's answer, `JSON.stringify`.
 * Arguments: port, upstream port.
 */
import { Agent, createServer, type IncomingMessage, request } from 'node:http'

const [port, upstreamPort] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024 })

interface GeminiAnswer {
  readonly candidates: readonly { content: { parts: readonly { inlineData: { data: string } }[] } }[]
  readonly usageMetadata: { promptTokenCount: number; candidatesTokenCount: number; totalTokenCount: number }
}

const server = createServer(async (incoming, outgoing) => {
  try {
    const { model, prompt } = JSON.parse(await readText(incoming)) as { model: string; prompt: string }
    const answer = await generate(model, { contents: [{ role: 'user', parts: [{ text: prompt }] }] })
    const body = JSON.stringify(translate(JSON.parse(answer) as GeminiAnswer))
    outgoing.writeHead(200, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(body) }).end(body)
  } catch {
    outgoing.writeHead(502).end()
  }
})

function generate(model: string, body: unknown): Promise<string> {
  const path = `/v1beta/models/${model}:generateContent`
  const headers = { 'content-type': 'application/json' }
  return new Promise((resolve, reject) => {
    const up = request({ host: '127.0.0.1', port: upstreamPort, method: 'POST', path, headers, agent }, answer =>
      resolve(readText(answer)),
    )
    up.on('error', reject).end(JSON.stringify(body))
  })
}

function translate({ candidates, usageMetadata }: GeminiAnswer) {
  return {
    created: Math.floor(Date.now() / 1000),
    data: candidates.flatMap(({ content }) => content.parts.map(({ inlineData }) => ({ b64_json: inlineData.data }))),
    usage: {
      input_tokens: usageMetadata.promptTokenCount,
      output_tokens: usageMetadata.candidatesTokenCount,
      total_tokens: usageMetadata.totalTokenCount,
    },
  }
}

async function readText(message: IncomingMessage): Promise<string> {
  const pieces: Buffer[] = []
  for await (const piece of message) pieces.push(piece)
  return Buffer.concat(pieces).toString()
}

server.listen({ host: '127.0.0.1', port, backlog: 4096 })
