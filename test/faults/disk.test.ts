import { rmSync } from 'node:fs'
import { afterAll, describe, expect, test } from 'vitest'
import { startGateway } from '../helpers/gateway.ts'
import { lineOf } from '../helpers/log.ts'
import { rawHead, startRawUpstream } from '../helpers/raw-upstream.ts'
import { pictureAnswer } from './answers.ts'
import { ask, expectError, readMetrics, relayed, translated } from './setup.ts'

const running: { close(): Promise<void> }[] = []
afterAll(async () => {
  for (const each of running) await each.close()
})

describe('a spill folder that is gone', () => {
  test('fails what would need it as the fault of the gateway, tells the operator why, and nothing else', async () => {
    const [small, large] = [pictureAnswer(10_000), pictureAnswer(2_000_000)]
    const upstream = await startRawUpstream(({ socket, body }) => {
      const { bytes } = body.includes('large') ? large : small
      socket.write(rawHead('200 OK', 'content-type: application/json', `content-length: ${bytes.length}`))
      socket.write(bytes)
    })
    const gateway = await startGateway({ upstream: upstream.url, answers: { memoryBytes: 1 << 20 } })
    running.push(gateway, upstream)
    rmSync(gateway.spillDir, { recursive: true })

    const { id, answer } = await ask(gateway, translated, 'a large kite')
    expectError(translated, answer, 500, 'internal_error')
    expect(answer.headers.get('x-should-retry')).toBe('false')
    expect(await lineOf(gateway, id)).toMatchObject({ outcome: 'failed', status: 500, errorKind: 'internal' })
    const fault = gateway.log.find(line => line.requestId === id && line.level === 'error' && line.msg !== 'exchange')
    expect(JSON.stringify(fault)).toContain('ENOENT')
    await upstream.calls[0]?.closed

    for (const [way, prompt, wanted] of [
      [translated, 'a kite', small],
      [relayed, 'a large kite', large],
    ] as const) {
      const next = await ask(gateway, way, prompt)
      expect(way.pictureOf(next.answer.body.toString()) === wanted.base64).toBe(true)
    }
    await upstream.hangUp()
    expect((await readMetrics(gateway))('plantain_answer_bytes_in_memory')).toBe(0)
  })
})
