/** The yardstick: the shortest proxy Node's own modules give, `http.request` and `pipe()` both ways. Arguments: port, upstream port. */
import { Agent, createServer, request } from 'node:http'

const [port, upstreamPort] = process.argv.slice(2).map(Number)
const agent = new Agent({ keepAlive: true, maxFreeSockets: 1024 })

const server = createServer((incoming, outgoing) => {
  const { method, url, headers } = incoming
  const up = request({ host: '127.0.0.1', port: upstreamPort, method, path: url, headers, agent }, answer => {
    outgoing.writeHead(answer.statusCode ?? 502, answer.headers)
    answer.pipe(outgoing)
  })
  up.on('error', () => outgoing.destroy())
  incoming.pipe(up)
})

server.listen({ host: '127.0.0.1', port, backlog: 4096 })
