/** The smallest fastify server, to compare start-up with. Argument: port. */
import { fastify } from 'fastify'

const [port] = process.argv.slice(2).map(Number)
const app = fastify()
app.post('/v1/images/generations', async () => ({ hello: 'world' }))
await app.listen({ host: '127.0.0.1', port: port ?? 0 })
