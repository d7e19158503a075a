import { readdirSync } from 'node:fs'
import { expect, test } from 'vitest'
import { makeCertificate } from '../faults/certificates.ts'
import { eventually, openDescriptors, openFilesIn, openSockets } from '../helpers/descriptors.ts'
import { type GatewayOptions, startGateway, type TestGateway } from '../helpers/gateway.ts'
import { type Load, run } from './callers.ts'
import { startPainter } from './painter.ts'

const certificate = makeCertificate({ host: '127.0.0.1' })
const ample = 256 * 1024 * 1024
// Sixteen connections own 1 MB of slabs or more, and a single large answer has more than all of it.
const scarce = 3 * 1024 * 1024
const largestSlabBytes = 256 * 1024
const leastBytes = 64 * 1024

const answers = process.env.PLANTAIN_TEST_LONG ? 500 : 150
// One in 23 leaves.
const leaving = Math.floor(answers / 23)

interface Configuration {
  readonly slabs: boolean
  readonly tls: boolean
  readonly memoryBytes: number
  readonly way: Load['way']
}

const configurations: Readonly<Record<string, Configuration>> = {
  'slabs, all in memory': { slabs: true, tls: false, memoryBytes: ample, way: 'translated' },
  'slabs, spilled': { slabs: true, tls: false, memoryBytes: scarce, way: 'translated' },
  'slabs, TLS, spilled': { slabs: true, tls: true, memoryBytes: scarce, way: 'translated' },
  'slabs, relayed': { slabs: true, tls: false, memoryBytes: leastBytes, way: 'relayed' },
  'plain, spilled': { slabs: false, tls: false, memoryBytes: scarce, way: 'translated' },
  'plain, TLS, all in memory': { slabs: false, tls: true, memoryBytes: ample, way: 'translated' },
}

test.each(Object.entries(configurations))(
  `${answers} answers to 16 callers at once, some slow, some who leave: every byte is right, and nothing stays: %s`,
  { timeout: 60_000 },
  async (_name, { slabs, tls, memoryBytes, way }) => {
    const socketsBefore = openSockets()
    const painter = await startPainter(tls ? certificate : undefined)
    const options: GatewayOptions = {
      upstream: painter.url,
      slabs,
      answers: { memoryBytes },
      ...(tls && { upstreamCa: certificate.cert }),
    }
    const gateway = await startGateway(options)
    try {
      const { whole, left, wrong } = await run({ url: gateway.url, way, answers, callers: 16 })
      expect(wrong).toEqual([])
      expect([whole, left]).toEqual([answers - leaving, leaving])

      expect(await eventually(() => openFilesIn(gateway.spillDir).length === 0)).toBe(true)
      expect(readdirSync(gateway.spillDir)).toEqual([])
      const idleBytes = slabs ? painter.connections * largestSlabBytes : 0
      let gauges = await read(gateway)
      const back = async () => {
        gauges = await read(gateway)
        return gauges.inMemory <= idleBytes
      }
      expect(gauges.inMemory <= idleBytes || (await eventually(back)), `${gauges.inMemory} > ${idleBytes}`).toBe(true)
      if (way === 'translated' && memoryBytes < ample) expect(gauges.spilled).toBeGreaterThan(10_000_000)
      else expect(gauges.spilled).toBe(0)
    } finally {
      await gateway.close()
      await painter.close()
    }
    expect(await eventually(() => openSockets() <= socketsBefore)).toBe(true)
    expect(openDescriptors().filter(target => target.includes('plantain-spill-'))).toEqual([])
  },
)

/** The first look is fresh; after it the text is made once a second. */
async function read({ adminUrl }: TestGateway): Promise<{ readonly inMemory: number; readonly spilled: number }> {
  const text = await (await fetch(`${adminUrl}/metrics`)).text()
  const value = (name: string) => Number(new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1])
  return {
    inMemory: value('plantain_answer_bytes_in_memory'),
    spilled: value('plantain_answer_bytes_spilled_total'),
  }
}
