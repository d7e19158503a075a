/** Paintings: true to size, the same for the same prompt, different for different ones, and made from their references. */
import fc from 'fast-check'
import { expect, test } from 'vitest'
import { createPainter, hang } from '../../src/sandbox/painter.ts'
import { meanColour, picture, see, shareOfDifference } from '../helpers/pictures.ts'
import { fixedModel, flashModel, paintOne, request, startSandbox } from './setup.ts'

const signal = new AbortController().signal
const commission = {
  prompt: 'a hill',
  seed: 0,
  size: { width: 160, height: 120 },
  mediaType: 'image/png',
  references: [],
  draft: null,
} as const

test.for(['1:8', '21:9', '9:16', '4:5'])('a 512 picture of ratio %s has the size of the table', async ratio => {
  const url = await startSandbox()
  const file = await paintOne(url, request('a hill', {}, { aspectRatio: ratio }))
  const sizes = { '1:8': [192, 1536], '21:9': [792, 336], '9:16': [384, 688], '4:5': [464, 576] }
  const [width, height] = sizes[ratio as keyof typeof sizes]
  expect(await see(file)).toEqual({ format: 'jpeg', width, height })
})

test.for(['21:9', '2:3'])('a picture of the model of one size has ratio %s as its table says', async ratio => {
  const url = await startSandbox()
  const body = {
    contents: [{ parts: [{ text: 'a hill' }] }],
    generationConfig: { imageConfig: { aspectRatio: ratio } },
  }
  const [width, height] = ratio === '21:9' ? [1536, 672] : [832, 1248]
  expect(await see(await paintOne(url, body, { model: fixedModel.id }))).toEqual({ format: 'png', width, height })
})

test('the same prompt gives the same file, from any painter', async () => {
  const files = await Promise.all([createPainter(), createPainter()].map(painter => painter.paint(commission, signal)))
  expect(files[0]).toEqual(files[1])
})

test('another seed gives another picture', async () => {
  const painter = createPainter()
  const [one, other] = await Promise.all([
    painter.paint(commission, signal),
    painter.paint({ ...commission, seed: 1 }, signal),
  ])
  expect(await shareOfDifference(one, other)).toBeGreaterThan(0.3)
})

test('any two prompts differ in more than 30 % of the pixels, also when they speak of the same thing', async () => {
  const painter = createPainter()
  const prompts = [
    'a cat',
    'a cat.',
    'A cat',
    'two cats',
    'a red circle',
    'x',
    'y',
    'a mountain at dawn',
    'the mountain at dawn',
    'a sea at night',
    'the sea at night',
    'a city in the rain',
    'a city in the snow',
    'A cute baby sea otter',
    'add a rainbow',
  ]
  const files = await Promise.all(prompts.map(prompt => painter.paint({ ...commission, prompt }, signal)))
  for (const [index, one] of files.entries()) {
    for (const other of files.slice(index + 1)) expect(await shareOfDifference(one, other)).toBeGreaterThan(0.3)
  }
})

test('a larger picture shows the same as a smaller one', async () => {
  const painter = createPainter()
  const thirds = [0, 1, 2].flatMap(column => [0, 1, 2].map(row => [column / 3, row / 3] as const))
  const meansAt = async (width: number) => {
    const file = await painter.paint({ ...commission, size: { width, height: width } }, signal)
    const side = Math.floor(width / 3)
    const cells = thirds.map(([left, top]) =>
      meanColour(file, { left: Math.floor(left * width), top: Math.floor(top * width), width: side, height: side }),
    )
    return (await Promise.all(cells)).flat()
  }
  const [small, large] = [await meansAt(240), await meansAt(720)]
  for (const [index, mean] of small.entries()) expect(Math.abs(mean - (large[index] ?? 0))).toBeLessThan(6)
})

test('an edit shows its reference in the middle, and takes its ratio', async () => {
  const url = await startSandbox()
  const reference = await picture('webp', { width: 160, height: 280, colour: '#0a64c8' })
  const inlineData = { mimeType: 'image/webp', data: reference.toString('base64') }
  const file = await paintOne(url, {
    ...request(''),
    contents: [{ parts: [{ text: 'add a rainbow' }, { inlineData }] }],
  })
  const { width, height } = await see(file)
  expect([width, height]).toEqual([384, 688])
  const middle = { left: width / 4, top: height / 4, width: width / 2, height: height / 2 }
  const [red = 0, green = 0, blue = 0] = await meanColour(file, middle)
  expect(Math.hypot(red - 10, green - 100, blue - 200)).toBeLessThan(6)
  const corner = await meanColour(file, { left: 0, top: 0, width: 20, height: 20 })
  expect(Math.hypot((corner[0] ?? 0) - 10, (corner[1] ?? 0) - 100, (corner[2] ?? 0) - 200)).toBeGreaterThan(20)
})

test('every reference of several is shown, in the order sent', async () => {
  const painter = createPainter()
  const colours = ['#ff0000', '#00ff00', '#0000ff', '#ffff00', '#ff00ff']
  const references = await Promise.all(
    colours.map(async colour => await painter.look(await picture('png', { colour }), signal)),
  )
  const found = references.filter(reference => reference !== null)
  const size = { width: 640, height: 480 }
  const file = await painter.paint({ ...commission, size, references: found }, signal)
  const places = hang(
    found.map(reference => reference.size),
    size,
  )
  for (const [index, place] of places.entries()) {
    const mean = await meanColour(file, place)
    const wanted = [1, 3, 5].map(at => Number.parseInt(colours[index]?.slice(at, at + 2) ?? '', 16))
    for (const [channel, value] of wanted.entries()) expect(Math.abs((mean[channel] ?? 0) - value)).toBeLessThan(4)
  }
})

test('a picture that was taken upright hangs upright', async () => {
  const sideways = await (await import('sharp'))
    .default(await picture('jpeg', { width: 90, height: 60 }))
    .withMetadata({ orientation: 6 })
    .toBuffer()
  expect(await createPainter().look(sideways, signal)).toMatchObject({ size: { width: 60, height: 90 } })
})

test('pictures hang whole, apart from each other and inside the wall, however many and of whatever shape', () => {
  const side = fc.integer({ min: 1, max: 8000 })
  const shape = fc.record({ width: side, height: side })
  const wall = fc.constantFrom(
    ...flashModel.ratios.map(ratio => {
      const [width = 1, height = 1] = ratio.split(':').map(Number)
      return { width: width * 128, height: height * 128 }
    }),
  )
  fc.assert(
    fc.property(fc.array(shape, { minLength: 1, maxLength: 14 }), wall, (pictures, { width, height }) => {
      const places = hang(pictures, { width, height })
      for (const [index, place] of places.entries()) {
        expect(place.left).toBeGreaterThanOrEqual(0)
        expect(place.top).toBeGreaterThanOrEqual(0)
        expect(place.left + place.width).toBeLessThanOrEqual(width)
        expect(place.top + place.height).toBeLessThanOrEqual(height)
        for (const other of places.slice(index + 1)) {
          const apart =
            place.left + place.width <= other.left ||
            other.left + other.width <= place.left ||
            place.top + place.height <= other.top ||
            other.top + other.height <= place.top
          expect(apart).toBe(true)
        }
      }
    }),
  )
})
