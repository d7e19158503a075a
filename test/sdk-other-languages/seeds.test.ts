/**
 * Programs that vendors publish for gateways of this kind, as they stand in their documents (seeds/), run against this one. Changed are
 * the address, the key and their placeholders, and nothing else.
 */
import { copyFile, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { expectColours, expectPicture, fromBase64, green, magenta, pictureOf } from '../sdk/setup.ts'
import { type GatewayProcess, startGatewayProcess } from './gateway-process.ts'
import { buildGo, goModule, has, preparePython, run } from './tools.ts'

const key = 'the-callers-key'
const [python, go, curl] = [await has('python'), await has('go'), await has('curl')]
let gateway: GatewayProcess
let folder: string

beforeAll(async () => {
  gateway = await startGatewayProcess(key)
})
afterAll(() => gateway.stop())

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'plantain-sample-'))
  return () => rm(folder, { recursive: true })
})

/** A published program, ready to run here. */
async function sample(name: string): Promise<string> {
  const published = await readFile(new URL(`seeds/${name}`, import.meta.url), 'utf8')
  return published
    .replaceAll('https://gateway.theturbo.ai', gateway.url)
    .replaceAll('sk-123456789012345678901234567890123456789012345678', key)
    .replaceAll('base64 -i "Path/to/agi/image.png"', 'base64 -w0 "input.png"')
    .replaceAll(' \\\n\t-F other parameters', '')
}

const put = (name: string, file: Uint8Array) => writeFile(join(folder, name), file)
const made = (name: string) => readFile(join(folder, name))

/** Runs a shell script and reads the JSON that it prints. */
async function shell(script: string): Promise<unknown> {
  return JSON.parse(await run('bash', ['-euc', script], { cwd: folder, env: { YOUR_API_KEY: key } }))
}

/** POSTs a JSON file that lies in the folder. */
const postJson = (path: string, file: string) =>
  shell(`curl -s ${gateway.url}${path} -H "Authorization: Bearer $YOUR_API_KEY" \
    -H 'Content-Type: application/json' --data-binary @${file}`)

const picturesOf = (answer: unknown): Buffer[] =>
  (answer as { data: { b64_json: string }[] }).data.map(({ b64_json }) => fromBase64(b64_json))

function pictureOfCandidate(answer: unknown): Buffer {
  const { candidates } = answer as { candidates: { content: { parts: { inlineData?: { data: string } }[] } }[] }
  const [data] = candidates.flatMap(({ content }) => content.parts.flatMap(({ inlineData }) => inlineData?.data ?? []))
  return fromBase64(data)
}

const wide = { format: 'png', size: '1184x864' } as const
const square = { format: 'png', size: '1024x1024' } as const

describe.skipIf(!curl)('with curl', () => {
  test('generateContent makes a picture', async () => {
    await expectPicture(pictureOfCandidate(await shell(await sample('generate-content/text-to-image.sh'))), wide)
  })

  test('generateContent edits a picture', async () => {
    await put('input.png', await pictureOf(magenta))
    const file = pictureOfCandidate(await shell(await sample('generate-content/image-to-image.sh')))

    await expectPicture(file, wide)
    await expectColours(file, magenta)
  })

  test('generations makes a picture', async () => {
    const [file = Buffer.alloc(0)] = picturesOf(await shell(await sample('generations/text-to-image.sh')))

    await expectPicture(file, square)
  })

  test('edits takes one picture', async () => {
    await put('input.png', await pictureOf(magenta))
    const [file = Buffer.alloc(0)] = picturesOf(await shell(await sample('edits/single-image.sh')))

    await expectPicture(file, square)
    await expectColours(file, magenta)
  })

  test('edits takes several pictures', async () => {
    await put('input1.png', await pictureOf(magenta))
    await put('input2.png', await pictureOf(green))
    const [file = Buffer.alloc(0)] = picturesOf(await shell(await sample('edits/multiple-images.sh')))

    await expectPicture(file, square)
    await expectColours(file, magenta, green)
  })
})

// Documents that show requests as JSON, or only name the fields.
describe.skipIf(!curl)('with curl, of other vendors', () => {
  test('generations in 4K, answered by URL', async () => {
    await put('request.json', Buffer.from(await sample('generations/sunset.json')))
    const answer = (await postJson('/v1/images/generations', 'request.json')) as { data: { url: string }[] }
    const picture = await fetch(answer.data[0]?.url ?? '')

    await expectPicture(Buffer.from(await picture.arrayBuffer()), { format: 'jpeg', size: '5504x3072' })
  })

  test('generations with reference pictures in `image`', async () => {
    const references = [await pictureOf(magenta), await pictureOf(green)].map(file => file.toString('base64'))
    const image = [references[0], `data:image/png;base64,${references[1]}`]
    const request = { model: 'nano-banana-2', prompt: 'hang them in a gallery', image, image_size: '1K' }
    await put('request.json', Buffer.from(JSON.stringify(request)))
    const [file = Buffer.alloc(0)] = picturesOf(await postJson('/v1/images/generations', 'request.json'))

    await expectColours(file, magenta, green)
  })

  test.for([
    ['a file', '-F image=@input.png'],
    ['base64 text', '-F image="$(base64 -w0 input.png)"'],
  ])('edits with %s in the form', async ([, image]) => {
    await put('input.png', await pictureOf(magenta))
    const form = `-F model=nano-banana -F prompt='add a frame' -F aspect_ratio=9:16 -F response_format=b64_json ${image}`
    const answer = await shell(
      `curl -s ${gateway.url}/v1/images/edits -H "Authorization: Bearer $YOUR_API_KEY" ${form}`,
    )
    const [file = Buffer.alloc(0)] = picturesOf(answer)

    await expectPicture(file, { format: 'png', size: '768x1344' })
    await expectColours(file, magenta)
  })

  test('generations by the name google/nano-banana-2', async () => {
    const prompt = 'A T-Rex relaxing on a beach, lying on a sun lounger and wearing sunglasses.'
    const request = { model: 'google/nano-banana-2', prompt, aspect_ratio: '16:9' }
    await put('request.json', Buffer.from(JSON.stringify(request)))
    const [file = Buffer.alloc(0)] = picturesOf(await postJson('/v1/images/generations', 'request.json'))

    await expectPicture(file, { format: 'jpeg', size: '1376x768' })
  })

  test('generations with `image_urls`, `resolution` and a web search', async () => {
    const references = [await pictureOf(magenta, 'webp'), await pictureOf(green, 'jpeg')]
    const request = {
      model: 'google/gemini-3-1-flash-image-preview',
      prompt: 'Combine the images',
      image_urls: references.map(file => `data:image/webp;base64,${file.toString('base64')}`),
      aspect_ratio: '16:9',
      resolution: '2K',
      enable_web_search: true,
    }
    await put('request.json', Buffer.from(JSON.stringify(request)))
    const [file = Buffer.alloc(0)] = picturesOf(await postJson('/v1/images/generations', 'request.json'))

    await expectPicture(file, { format: 'jpeg', size: '2752x1536' })
    await expectColours(file, magenta, green)
  })
})

describe.skipIf(!python)('in Python', () => {
  let interpreter: string
  beforeAll(async () => {
    interpreter = await preparePython('sdks')
  })

  async function runSample(name: string): Promise<void> {
    await put('sample.py', Buffer.from(await sample(name)))
    expect(await run(interpreter, ['sample.py'], { cwd: folder })).toContain('success to write to file')
  }

  test('generateContent makes a picture', async () => {
    await runSample('generate-content/text-to-image.py')
    await expectPicture(await made('example.png'), wide)
  })

  test('generateContent edits a picture', async () => {
    await put('example.png', await pictureOf(magenta))
    await runSample('generate-content/image-to-image.py')
    await expectPicture(await made('example2.png'), wide)
    await expectColours(await made('example2.png'), magenta)
  })

  test('generations makes a picture', async () => {
    await runSample('generations/text-to-image.py')
    await expectPicture(await made('example.png'), square)
  })
})

describe.skipIf(!go)('in Go', () => {
  const names = ['generate-content/text-to-image', 'generate-content/image-to-image', 'generations/text-to-image']
  let built: string
  beforeAll(async () => {
    const module = await mkdtemp(join(tmpdir(), 'plantain-samples-'))
    for (const file of ['go.mod', 'go.sum']) await copyFile(join(goModule, file), join(module, file))
    for (const name of names) {
      // A built program has the name of its folder.
      const main = join(module, name.replace('/', '-'), 'main.go')
      await mkdir(dirname(main))
      await writeFile(main, await sample(`${name}.go`))
    }
    built = await buildGo(module)
    await rm(module, { recursive: true })
  })
  afterAll(() => rm(built, { recursive: true }))

  async function runSample(name: string): Promise<void> {
    expect(await run(join(built, name), [], { cwd: folder })).toContain('success to write to file')
  }

  test('generateContent makes a picture', async () => {
    await runSample('generate-content-text-to-image')
    await expectPicture(await made('example.png'), wide)
  })

  test('generateContent edits a picture', async () => {
    await put('example.png', await pictureOf(magenta))
    await runSample('generate-content-image-to-image')
    await expectPicture(await made('example2.png'), wide)
    await expectColours(await made('example2.png'), magenta)
  })

  test('generations makes a picture', async () => {
    await runSample('generations-text-to-image')
    await expectPicture(await made('example.png'), square)
  })
})
