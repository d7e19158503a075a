/**
 * What the gateway's two HTTP libraries cost by themselves: a route of fastify's, a pool of undici's, an answer that is held and sent
 * on. Nobody is asked who they are; nothing is read, counted or written down. Arguments: port, upstream port.
 */
import { type FastifyReply, fastify } from 'fastify'
import { type Dispatcher, Pool } from 'undici'

const [port = 0, upstreamPort] = process.argv.slice(2).map(Number)
const pool = new Pool(`http://127.0.0.1:${upstreamPort}`, { connections: 1024, pipelining: 1, allowH2: false })
const app = fastify()
const headers = { 'content-type': 'application/json' }

app.removeAllContentTypeParsers()
app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
app.post('/*', (request, reply) => {
  reply.hijack()
  const path = request.raw.url ?? '/'
  pool.dispatch({ path, method: 'POST', headers, body: request.body as Buffer }, holdAndSend(reply))
})

function holdAndSend({ raw: response }: FastifyReply): Dispatcher.DispatchHandler {
  const chunks: Buffer[] = []
  return {
    onRequestStart() {},
    onResponseStart() {},
    onResponseData(_controller, chunk) {
      chunks.push(chunk)
    },
    onResponseEnd() {
      const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0)
      response.writeHead(200, { ...headers, 'content-length': length })
      response.cork()
      for (const chunk of chunks) response.write(chunk)
      response.end()
      response.uncork()
    },
    onResponseError() {
      response.destroy()
    },
  }
}

await app.listen({ host: '127.0.0.1', port, backlog: 4096 })
