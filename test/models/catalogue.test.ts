import { describe, expect, test } from 'vitest'
import { loadCatalogue } from '../../src/models/catalogue.ts'
import { modelNamed, speaking, yamlText } from './shipped.ts'

const small = `
models:
  - { id: elder, protocol: gemini, aliases: [favourite], ratios: ["1:1"], tiers: [1K, 4K], outputs: [image/png] }
  - { id: younger, like: elder, tiers: [4K, 512] }
  - { id: gone, state: retired, successors: [younger] }
`

/** The lines of the error that loading throws, without its heading. */
function mistakesOf(text: string, extra: readonly unknown[] = []): readonly string[] {
  try {
    loadCatalogue(text, extra)
  } catch (error) {
    if (error instanceof Error) return error.message.split('\n').slice(1)
  }
  throw new Error('No mistake was found.')
}

describe('mistakes in the catalogue', () => {
  test('are told all at once, each with its place', () => {
    const mistakes = mistakesOf(`
models:
  - { id: a, protocol: gemini, ratios: ["1:1", wide], tiers: [3K], references: 0 }
  - { id: b, protocol: telepathy, colour: green }
  - { protocol: gemini }
  - nonsense
  - { id: c, state: retired }
`)
    const places = [
      'models.yaml: models[0] (a).ratios[1]: expected a ratio such as "16:9"',
      'models.yaml: models[0] (a).tiers[0]: ',
      'models.yaml: models[0] (a).references: ',
      'models.yaml: models[1] (b).protocol: ',
      'models.yaml: models[1] (b).colour: unknown key',
      'models.yaml: models[2]: expected an entry with an id',
      'models.yaml: models[3]: expected an entry with an id',
      'models.yaml: models[4] (c).successors: ',
    ]
    for (const place of places) expect(mistakes).toContainEqual(expect.stringContaining(place))
    expect(mistakes).toHaveLength(places.length)
  })

  test.each([
    ['the same id twice', '{ id: A, protocol: gemini }, { id: a, protocol: gemini }', 'models[1] (a): '],
    [
      'an alias that is another’s id',
      '{ id: a, protocol: gemini, aliases: [B] }, { id: b, protocol: gemini }',
      '"B" is already a name of b',
    ],
    [
      'an alias of two models',
      '{ id: a, protocol: gemini, aliases: [x] }, { id: b, protocol: gemini, aliases: [x] }',
      'models[1] (b).aliases[0]: "x" is already a name of a',
    ],
    ['an alias twice', '{ id: a, protocol: gemini, aliases: [x, X] }', '"X" is already a name of a'],
    [
      'an alias with a tier the model lacks',
      '{ id: a, protocol: gemini, tiers: [1K], aliases: [{ name: x, resolution: 4K }] }',
      'models[0] (a).aliases[0].resolution: a has no 4K (it has 1K)',
    ],
    ['likeness to nobody', '{ id: a, like: b }', 'models[0] (a).like: no model before this one has the id "b"'],
    [
      'a successor nobody knows',
      '{ id: a, state: retired, successors: [b] }',
      'models[0] (a).successors: no model is called "b"',
    ],
    ['an id that fits no header', '{ id: 画像, protocol: gemini }', 'models[0] (画像).id: an id is plain ASCII'],
    ['a name with a star', '{ id: a*, protocol: gemini }', 'models[0] (a*).id: a name has no spaces and no *'],
    [
      'half of the bounds on pixels',
      '{ id: a, protocol: openai, pixels: { max_ratio: 3 } }',
      'models[0] (a).pixels: expected { sizes:',
    ],
    [
      'an alias that is no name',
      '{ id: a, protocol: gemini, aliases: [my name] }',
      'models[0] (a).aliases[0]: expected',
    ],
    ['aliases that are no list', '{ id: a, protocol: gemini, aliases: x }', 'models[0] (a).aliases: '],
  ])('%s', (_, entries, wanted) => {
    expect(mistakesOf(`models: [${entries}]`)).toEqual([expect.stringContaining(wanted)])
  })

  test('in the YAML itself are told with their line', () => {
    expect(mistakesOf('models:\n  - { id: a,\n')[0]).toContain('line 3')
  })

  test.each(['', '[]', 'models: {}', 'hello'])('%j is no catalogue', text => {
    expect(mistakesOf(text)).toEqual(['models.yaml: expected a list under `models:`'])
  })

  test('of the operator’s are told beside the shipped ones', () => {
    expect(mistakesOf('models: [{ id: a }]', [{ id: 'b' }, 7]).toSorted()).toEqual([
      expect.stringContaining('models.yaml: models[0] (a).protocol: '),
      expect.stringContaining('models[0] (b).protocol: '),
      'models[1]: expected an entry with an id',
    ])
  })
})

describe('an entry that is like another', () => {
  test('has all of it but its names and what it says itself', () => {
    const catalogue = loadCatalogue(small, [])
    expect(modelNamed('younger', catalogue)).toMatchObject({
      id: 'younger',
      name: 'younger',
      protocol: 'gemini',
      ratios: ['1:1'],
      tiers: ['512', '4K'],
      outputs: ['image/png'],
    })
    expect(catalogue.resolve('favourite').id).toBe('elder')
  })
})

describe('the operator’s own entries', () => {
  test('add models', () => {
    const catalogue = loadCatalogue(yamlText, [
      { id: 'my-banana', name: 'Ours', like: 'gemini-3-pro-image', aliases: ['ours'], tiers: ['2K'] },
    ])
    expect(catalogue.resolve('models/ours').model).toMatchObject({ id: 'my-banana', name: 'Ours', tiers: ['2K'] })
    expect(catalogue.list().map(({ id }) => id)).toContain('my-banana')
  })

  test('may say no more than an id and a protocol: then everything but search passes', () => {
    const model = modelNamed('bare', loadCatalogue(small, [{ id: 'bare', protocol: 'gemini' }]))
    expect(model).toEqual({
      id: 'bare',
      name: 'bare',
      protocol: 'gemini',
      ratios: null,
      tiers: null,
      references: null,
      outputs: [],
      search: false,
      thinkingLevels: [],
      tokensPerImage: null,
      usdPerImage: null,
      usdPerImageAt: null,
      usdPerSearch: null,
      usdPerMillionTokens: null,
      pixels: null,
    })
  })

  test('with a shipped id replace the fields they give, and add their aliases', () => {
    const catalogue = loadCatalogue(small, [{ id: 'Elder', references: 5, aliases: ['pet'] }])
    expect(modelNamed('elder', catalogue)).toMatchObject({ tiers: ['1K', '4K'], references: 5 })
    expect(catalogue.resolve('pet').model).toBe(catalogue.resolve('favourite').model)
  })

  test('take a name from the model that had it as an alias', () => {
    const catalogue = loadCatalogue(yamlText, [{ id: 'gemini-nano-banana-2.1', aliases: ['nano-banana-2'] }])
    expect(catalogue.resolve('nano-banana-2').id).toBe('gemini-nano-banana-2.1')
    expect(catalogue.resolve('gemini-3.1-flash-image-preview').id).toBe('gemini-3.1-flash-image')
    expect(catalogue.list().filter(({ id }) => id === 'nano-banana-2')).toHaveLength(1)
  })

  test('give a shipped alias another default', () => {
    const catalogue = loadCatalogue(yamlText, [
      { id: 'gemini-3-pro-image', aliases: [{ name: 'nano-banana-hd', resolution: '2K' }] },
    ])
    expect(catalogue.resolve('nano-banana-hd').defaults).toEqual({ resolution: '2K' })
  })

  test('that take a tier away can mend the shipped alias that needs it', () => {
    const entry = { id: 'gemini-3-pro-image', tiers: ['1K', '2K'] }
    expect(mistakesOf(yamlText, [entry])).toEqual([expect.stringContaining('has no 4K (it has 1K, 2K)')])
    const mended = { ...entry, aliases: [{ name: 'nano-banana-hd', resolution: '2K' }] }
    expect(loadCatalogue(yamlText, [mended]).resolve('nano-banana-hd').defaults).toEqual({ resolution: '2K' })
  })

  test('do not take an id', () => {
    expect(mistakesOf(small, [{ id: 'mine', protocol: 'gemini', aliases: ['elder'] }])).toEqual([
      'models[0] (mine).aliases[0]: "elder" is already a name of elder',
    ])
  })

  test('do not take a name from each other', () => {
    const both = [
      { id: 'x', protocol: 'gemini', aliases: ['z'] },
      { id: 'y', protocol: 'gemini', aliases: ['z'] },
    ]
    expect(mistakesOf(small, both)).toEqual(['models[1] (y).aliases[0]: "z" is already a name of x'])
    expect(mistakesOf(small, [{ id: 'elder' }, { id: 'ELDER' }])).toEqual([
      'models[1] (ELDER): models[0] (elder) has this id already',
    ])
  })

  test('bring a retired name back to life', () => {
    const catalogue = loadCatalogue(yamlText, [
      { id: 'gpt-image-1', like: 'gpt-image-1.5' },
      { id: 'gemini-2.5-flash-image', aliases: ['imagen-for-us'] },
    ])
    expect(catalogue.resolve('gpt-image-1', speaking('gemini')).id).toBe('gpt-image-1')
    expect(catalogue.resolve('imagen-for-us', speaking('gemini')).id).toBe('gemini-2.5-flash-image')
    expect(catalogue.resolve('imagen-for-all', speaking('gemini')).id).toBe('gemini-3.1-flash-image')
  })

  test('retire a model with all its names, and what led to it goes on to its successor', () => {
    const catalogue = loadCatalogue(yamlText, [
      { id: 'gemini-3.1-flash-image', state: 'retired', successors: ['nano-banana-2.1'] },
    ])
    for (const name of ['gemini-3.1-flash-image', 'nano-banana-2', 'google/nano-banana-2', 'dall-e-3', 'imagen-4']) {
      expect(catalogue.resolve(name, speaking('gemini')).id).toBe('gemini-nano-banana-2.1')
    }
    expect(catalogue.resolve('nano-banana-2').model).toBeNull()
    expect(catalogue.list().map(({ id }) => id)).not.toContain('nano-banana-2')
  })

  test('may retire models in a circle: then nothing stands in', () => {
    const catalogue = loadCatalogue(small, [
      { id: 'elder', state: 'retired', successors: ['younger'] },
      { id: 'younger', state: 'retired', successors: ['elder'] },
    ])
    expect(catalogue.resolve('gone', speaking('gemini'))).toMatchObject({ id: 'gone', model: null })
  })
})
