/** Pictures that callers send, and masks. */
import sharp from 'sharp'
import { expect, test } from 'vitest'
import { postForm, textParts } from '../helpers/forms.ts'
import { heicHead, meanColour, numberedPicture } from '../helpers/pictures.ts'
import { vendors } from '../upstreams/every.ts'
import { startGoogle } from '../upstreams/google.ts'
import { startOpenAI } from '../upstreams/openai.ts'
import { jsonOf } from '../upstreams/seen.ts'
import { paint, placeFor, refusalOf, startPlace } from './setup.ts'

const google = await placeFor(startGoogle)
const openai = await placeFor(startOpenAI)

const flash31 = 'gemini-3.1-flash-image'
const flash25 = 'gemini-2.5-flash-image'

test('pictures come by every way that some client uses, and go up in order', async () => {
  const files = await Promise.all([1, 2, 3, 4].map(number => numberedPicture('png', 8, 8, number)))
  const [one, two, three, four] = files.map(file => file.toString('base64'))
  const bodies = [
    { image: [one, `data:image/png;base64,${two}`, { image_url: `data:image/png;base64,${three}` }, four] },
    { images: [{ image_url: `data:image/png;base64,${one}` }, two, { url: `data:image/png;base64,${three}` }, four] },
    { image: one, images: [two], image_urls: [`data:image/png;base64,${three}`], input_references: [four] },
  ]
  for (const body of bodies) {
    const [parts] = (await paint(google, body)).sent.map(({ contents }) => contents[0].parts)
    const data = parts.flatMap(({ inlineData }: { inlineData?: { data: string } }) => inlineData?.data ?? [])
    expect(data).toEqual([one, two, three, four])
  }
})

test('pictures of a type that the vendor refuses are refused by the field they stood in', async () => {
  const heic = heicHead().toString('base64')
  const one = (await numberedPicture('png')).toString('base64')
  for (const [body, field] of [
    [{ image: heic }, 'image'],
    [{ images: [{ image_url: `data:image/png;base64,${one}` }, heic] }, 'images[1]'],
    [{ image: one, inputReferences: [heic] }, 'inputReferences[0]'],
  ] as const) {
    const told = await paint(openai, { model: 'gpt-image-2', aspect_ratio: '1:1', ...body })
    expect(refusalOf(told, openai)).toEqual([400, field, true])
  }
})

test.each(['image[0][image_url]', 'images[0][image_url]', 'image_urls[0][url]'])(
  'pictures may be members of a form’s lists, as some write objects: %s',
  async name => {
    google.fake.reset()
    const one = (await numberedPicture('png')).toString('base64')
    const parts = textParts({ prompt: 'A red kite', [name]: `data:image/png;base64,${one}` })
    expect((await postForm(`${google.gateway.url}/v1/images/edits`, parts)).status).toBe(200)
    expect(google.fake.requests.map(jsonOf)).toMatchObject([
      { contents: [{ parts: [{ text: 'A red kite' }, { inlineData: { data: one } }] }] },
    ])
    openai.fake.reset()
    const own = [...parts, ...textParts({ model: 'gpt-image-2' })]
    expect((await postForm(`${openai.gateway.url}/v1/images/edits`, own)).status).toBe(200)
    expect(openai.fake.problems).toEqual([])
  },
)

test('a mask is no list: what is named as a member of one is passed on, and its upstream knows no such field', async () => {
  openai.fake.reset()
  const file = { value: await numberedPicture('png'), fileName: 'a.png', type: 'image/png' }
  const parts = [
    ...textParts({ prompt: 'A red kite', model: 'gpt-image-2' }),
    { name: 'image', ...file },
    ...textParts({ 'mask[image_url]': 'https://example.com/mask.png' }),
  ]
  const response = await postForm(`${openai.gateway.url}/v1/images/edits`, parts)
  expect([response.status, openai.fake.problems.length]).toEqual([400, 1])
})

test('a form without any is painted from its prompt alone', async () => {
  google.fake.reset()
  const parts = textParts({ prompt: 'A red kite', model: flash31 })
  expect((await postForm(`${google.gateway.url}/v1/images/edits`, parts)).status).toBe(200)
  expect(google.fake.problems).toEqual([])
})

const bounds = [
  ['google', flash31, 14],
  ['zenlayer, Gemini form', flash25, 3],
  ['zenlayer, OpenAI form', flash25, 3],
  ['zenlayer, OpenAI form', 'gemini-3-pro-image', 14],
  ['aimlapi', flash31, 5],
  ['openai', 'gpt-image-2', 16],
] as const
test.each(bounds)(
  '%s takes as many as its documents say for %s, %i, and one more is refused',
  async (name, model, most) => {
    const place = await startPlace(vendors.find(vendor => vendor.name === name)?.start ?? startGoogle)
    const one = (await numberedPicture('png')).toString('base64')
    const asked = (count: number) => paint(place, { model, aspect_ratio: '1:1', image: Array(count).fill(one) })
    const { status } = await asked(most)
    expect([status, place.fake.problems]).toEqual([200, []])
    expect(refusalOf(await asked(most + 1), place)).toEqual([400, 'image', true])
    await place.close()
  },
)

test('a mask keeps every pixel outside its hole, though Gemini has no masks', async () => {
  google.fake.reset()
  const original = await numberedPicture('png', 64, 48, 5)
  const hole = { create: { width: 64, height: 48, channels: 4, background: '#ffff' } } as const
  const clear = {
    input: { create: { width: 16, height: 16, channels: 4, background: '#fff' } },
    blend: 'dest-out',
  } as const
  const mask = await sharp(hole)
    .composite([{ ...clear, left: 0, top: 0 }])
    .png()
    .toBuffer()
  const files = [
    { name: 'image', value: original, fileName: 'a.png', type: 'image/png' },
    { name: 'mask', value: mask, fileName: 'm.png', type: 'image/png' },
  ]
  const response = await postForm(`${google.gateway.url}/v1/images/edits`, [
    ...textParts({ prompt: 'A hat' }),
    ...files,
  ])
  const { data } = (await response.json()) as { data: { b64_json: string }[] }
  const painted = Buffer.from(data[0]?.b64_json ?? '', 'base64')
  const outside = { left: 20, top: 20, width: 40, height: 24 }
  expect(await meanColour(painted, outside)).toEqual(await meanColour(original, outside))
})

test.each(['jpeg', 'webp'] as const)('a mask that is a %s is refused where the upstream takes masks', async type => {
  const [image, mask] = await Promise.all([numberedPicture('png'), numberedPicture(type)])
  const body = { model: 'gpt-image-2', aspect_ratio: '1:1', image: image.toString('base64') }
  expect(refusalOf(await paint(openai, { ...body, mask: mask.toString('base64') }), openai)).toEqual([
    400,
    'mask',
    true,
  ])
})
