import { execFile } from 'node:child_process'
import { once } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { promisify } from 'node:util'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectRedis, RedisError, type RedisOptions, type RedisState } from '../../src/redis/client.ts'
import { findRedis, openLine } from '../helpers/redis.ts'

const redis = await findRedis()
afterAll(() => redis?.stop())

async function connected(url: string, options: RedisOptions = {}) {
  const states: RedisState[] = []
  const client = await connectRedis(url, { commandTimeoutMs: 5_000, observe: state => states.push(state), ...options })
  onTestFinished(() => client.close())
  return { client, states, ask: client.script('return ARGV[1]') }
}

/** An address where nobody listens. */
async function deadAddress(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  server.close()
  return `redis://:secret-word@127.0.0.1:${port}`
}

test.each([
  'secret-word',
  'http://:secret-word@localhost',
  'redis://:secret-word@',
  'redis://:secret-word%@localhost',
  'redis://:secret-word@localhost/db',
  'redis://:secret-word@localhost?tls=true',
])('an address that cannot be read is refused without repeating it: %s', async url => {
  const error = await connectRedis(url).catch((thrown: unknown) => thrown)
  expect(error).toBeInstanceOf(RedisError)
  expect(String(error)).not.toContain('secret-word')
})

test('without a Redis the start goes on, commands fail at once and the loss is told once', async () => {
  const { client, states, ask } = await connected(await deadAddress())
  expect(client.ready()).toBe(false)
  await expect(ask([], ['hello'])).rejects.toThrow(RedisError)
  await new Promise(resolve => setTimeout(resolve, 300))
  expect(states).toEqual([{ state: 'lost', reason: expect.stringContaining('ECONNREFUSED') }])
})

test('a server that repeats the password in its errors does not bring it into ours', async () => {
  const server = createServer(socket => {
    socket.on('error', () => {})
    socket.on('data', bytes => {
      for (const command of String(bytes).match(/\*\d+/g) ?? []) {
        socket.write(`-ERR unknown command after ${command}, with args beginning with: 'secret-word'\r\n`)
      }
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  const { port } = server.address() as AddressInfo
  const { states } = await connected(`redis://:secret-word@127.0.0.1:${port}`)
  expect(states).toEqual([{ state: 'lost', reason: expect.stringContaining('***') }])
  expect(JSON.stringify(states)).not.toContain('secret-word')
})

test('without a connection ioredis is not even loaded', async () => {
  const look = `
    import { createRequire } from 'node:module'
    const { connectRedis } = await import('./src/redis/client.ts')
    const loaded = () => Object.keys(createRequire(import.meta.url).cache).some(path => path.includes('ioredis'))
    process.stdout.write(String(loaded()))
    const client = await connectRedis('${await deadAddress()}')
    process.stdout.write(' ' + loaded())
    client.close()`
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', look])
  expect(stdout).toBe('false true')
})

describe.skipIf(!redis)('on a real Redis', () => {
  const url = redis?.url ?? ''

  test('a script gets its keys and arguments and gives its answer back', async () => {
    const { client, states } = await connected(url)
    const echo = client.script('return { KEYS[1], ARGV[1], #KEYS, #ARGV }')
    expect(await echo(['{a}:1', '{a}:2'], ['x', 7, 'z'])).toEqual(['{a}:1', 'x', 2, 3])
    expect(states).toEqual([{ state: 'connected' }])
  })

  test('a connection that is closed because it is not needed any more is not told as a loss', async () => {
    const { client, states } = await connected(url)
    client.close()
    await expect.poll(() => client.ready()).toBe(false)
    await new Promise(resolve => setTimeout(resolve, 50))
    expect(states).toEqual([{ state: 'connected' }])
  })

  test('a script that fails rejects with what Redis says', async () => {
    const { client } = await connected(url)
    await expect(client.script('return redis.call("GET")')([], [])).rejects.toThrow(RedisError)
  })

  test('a wrong password is told without the password', async () => {
    const wrong = new URL(url)
    wrong.username = 'nobody'
    wrong.password = 'secret-word'
    const { client, states } = await connected(wrong.href)
    expect(client.ready()).toBe(false)
    expect(states).toEqual([{ state: 'lost', reason: expect.stringContaining('WRONGPASS') }])
    expect(JSON.stringify(states)).not.toContain('secret-word')
  })

  test('an address whose database there is not leads to no other: it is told, and no command is carried out', async () => {
    const elsewhere = new URL(url)
    elsewhere.pathname = '/99999'
    const { client, states, ask } = await connected(elsewhere.href)
    expect(client.ready()).toBe(false)
    await expect(ask([], ['hello'])).rejects.toThrow(RedisError)
    expect(states).toEqual([{ state: 'lost', reason: expect.stringContaining('DB index') }])
  })

  test('a Redis that comes later is found, and one that comes back too, each told once', async () => {
    await using line = await openLine(url)
    await line.cut()
    const { client, states, ask } = await connected(line.url)
    expect(client.ready()).toBe(false)
    await line.mend()
    await expect.poll(() => client.ready()).toBe(true)
    expect(await ask([], ['hello'])).toBe('hello')
    await line.cut()
    await expect.poll(() => client.ready()).toBe(false)
    await expect(ask([], ['hello'])).rejects.toThrow(RedisError)
    await line.mend()
    await expect.poll(() => client.ready()).toBe(true)
    expect(await ask([], ['hello'])).toBe('hello')
    expect(states.map(({ state }) => state)).toEqual(['lost', 'connected', 'lost', 'connected'])
  })

  test('a connection that swallows everything fails each command in time and is replaced by another', async () => {
    await using line = await openLine(url)
    const { client, ask } = await connected(line.url, { commandTimeoutMs: 50 })
    line.hold('commands')
    await expect(ask([], ['hello'])).rejects.toThrow('Command timed out')
    expect(client.ready()).toBe(false)
    await expect.poll(() => client.ready()).toBe(true)
    await expect.poll(() => ask([], ['hello']).catch(() => null)).toBe('hello')
  })
})
