/** Several calls for one request, where an upstream gives fewer pictures a call than were asked for. */
import { expect, test } from 'vitest'
import { attempt } from '../../src/gateway/attempts.ts'
import { fanOut } from '../../src/gateway/fan-out.ts'
import { GatewayError } from '../../src/images/error.ts'

const noRoom = new GatewayError('rate-limited', 'No room.', { notSent: true })
const broken = new GatewayError('upstream-failed', 'It broke.')

/** Who is asked for two pictures, where each makes one a call and fails so. */
async function askedOf(failures: readonly [GatewayError, GatewayError]): Promise<readonly string[]> {
  const asked: string[] = []
  const painting = attempt(['first', 'second'], false, name => {
    asked.push(name)
    const left = [...failures]
    return fanOut([1, 1], () => Promise.reject(left.shift()))
  })
  await expect(painting).rejects.toMatchObject({ kind: 'rate-limited', message: 'No room.' })
  return asked
}

test('pictures of which none could be asked for are asked for elsewhere', async () => {
  expect(await askedOf([noRoom, noRoom])).toEqual(['first', 'second'])
})

test('pictures of which one was asked for are not: it may be billed', async () => {
  expect(await askedOf([noRoom, broken])).toEqual(['first'])
  expect(await askedOf([broken, noRoom])).toEqual(['first'])
})
