/** How pictures come back, and as files of which type. */
import { describe, expect, test } from 'vitest'
import { askOpenai, type Told } from '../helpers/callers.ts'
import { startGateway } from '../helpers/gateway.ts'
import { see } from '../helpers/pictures.ts'
import { startGoogle } from '../upstreams/google.ts'
import { paint, placeFor, refused } from './setup.ts'

const google = await placeFor(startGoogle)

const flash31 = 'gemini-3.1-flash-image'
const flash25 = 'gemini-2.5-flash-image'

describe('how pictures come', () => {
  const kindsOf = ({ json }: Told) => json.data.flatMap((one: object) => Object.keys(one))

  test.each([
    [{}, 'b64_json'],
    [{ response_format: null }, 'b64_json'],
    [{ response_format: 'url' }, 'url'],
    [{ model: 'dall-e-3' }, 'url'],
    [{ model: 'dall-e-3', response_format: 'b64_json' }, 'b64_json'],
  ])('is what the field says, else what the name promises, and never both: %j', async (body, kind) => {
    expect(kindsOf(await paint(google, body))).toEqual([kind])
  })

  test.each(['url', 'b64_json'] as const)(
    'is %s where the operator says so and the caller nothing',
    async responseFormat => {
      const own = await startGateway({
        upstream: google.fake.baseUrl,
        upstreamConfig: { keys: [google.fake.key] },
        answers: { responseFormat },
      })
      for (const model of [flash31, 'dall-e-3'])
        expect(kindsOf(await askOpenai(own, { model }))).toEqual([responseFormat])
      await own.close()
    },
  )
})

describe('the file', () => {
  test.each(['png', 'jpeg', 'webp'] as const)(
    'is a %s where that is asked for, and labels tell what the bytes are',
    async type => {
      const { json } = await paint(google, { output_format: type, size: '1376x768' })
      const { format, width, height } = await see(Buffer.from(json.data[0].b64_json, 'base64'))
      expect([format, json.output_format, json.size]).toEqual([type, type, `${width}x${height}`])
    },
  )
})

describe('what is not served yet is refused and says so', () => {
  test.each([
    [{ markup: 'x' }, 'markup'],
    [{ images: [{ file_id: 'file-1' }] }, 'images[0].file_id'],
  ])('%j', async (body, param) => {
    expect(await refused(google, body, param, 'unsupported_parameter')).toMatch(/\./)
  })

  test.each([
    [{ stream: false }],
    [{ output_compression: 100 }],
    [{ model: flash25, output_format: 'png' }],
    [{ model: flash31, output_format: 'jpeg' }],
    [{ response_format: 'b64_json' }],
    [{ response_format: 'url' }],
    [{ background: 'auto' }],
    [{ background: 'opaque' }],
  ])('%j asks for what is there', async body => {
    expect((await paint(google, body)).status).toBe(200)
  })
})

describe('what no model here can do is refused', () => {
  test.each([
    [{ background: 'transparent' }, 'background'],
    [{ output_format: 'gif' }, 'output_format'],
    [{ output_format: 'svg' }, 'output_format'],
    [{ output_format: 'bmp' }, 'output_format'],
    [{ output_compression: 101 }, 'output_compression'],
    [{ output_compression: -1 }, 'output_compression'],
    [{ output_compression: 50.5 }, 'output_compression'],
    [{ output_compression: '50' }, 'output_compression'],
    [{ frame_count: 4 }, 'frame_count'],
    [{ frame_duration_ms: 100 }, 'frame_duration_ms'],
    [{ svg: { model: 'x' } }, 'svg'],
    [{ response_format: 'html' }, 'response_format'],
    [{ enable_web_search: 'yes' }, 'enable_web_search'],
    [{ stream: 'true' }, 'stream'],
    [{ seed: 1.5 }, 'seed'],
    [{ media_resolution: 'ULTRA' }, 'media_resolution'],
  ])('%j', async (body, param) => void (await refused(google, body, param)))

  test.each(['gif', 'svg', 'frame_png', 'bmp'])(
    'a format is not refused with one that is refused too: %s',
    async format => {
      const message = await refused(google, { output_format: format }, 'output_format')
      expect(message).toContain('png, jpeg, webp')
      expect(message).not.toMatch(/gif|svg/)
    },
  )
})
