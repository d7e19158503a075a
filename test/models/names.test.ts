import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { catalogue, speaking } from './shipped.ts'

describe('a name leads to its model', () => {
  test.each([
    ['nano-banana', 'gemini-2.5-flash-image'],
    ['nano-banana-2', 'gemini-3.1-flash-image'],
    ['nano-banana-pro', 'gemini-3-pro-image'],
    ['nano-banana-hd', 'gemini-3-pro-image'],
    ['nano-banana-2-lite', 'gemini-3.1-flash-lite-image'],
    ['nano-banana-2.1', 'gemini-nano-banana-2.1'],
    ['gemini-2.5-flash-image', 'gemini-2.5-flash-image'],
    ['gemini-2.5-flash-image-preview', 'gemini-2.5-flash-image'],
    ['gemini-3.1-flash-image-preview', 'gemini-3.1-flash-image'],
    ['gemini-3-1-flash-image-preview', 'gemini-3.1-flash-image'],
    ['gemini-3-pro-image-preview', 'gemini-3-pro-image'],
    ['nano-banana-pro-preview', 'gemini-3-pro-image'],
    ['google/nano-banana', 'gemini-2.5-flash-image'],
    ['google/nano-banana-2', 'gemini-3.1-flash-image'],
    ['google/nano-banana-pro', 'gemini-3-pro-image'],
    ['google/gemini-3.1-flash-image', 'gemini-3.1-flash-image'],
    ['google/gemini-3-1-flash-image-preview', 'gemini-3.1-flash-image'],
    ['models/gemini-2.5-flash-image', 'gemini-2.5-flash-image'],
    ['models/nano-banana-2', 'gemini-3.1-flash-image'],
    ['models/google/nano-banana-2', 'gemini-3.1-flash-image'],
    ['openai/gpt-image-2', 'gpt-image-2'],
    ['gpt-image-2-2026-04-21', 'gpt-image-2-2026-04-21'],
    ['chatgpt-image-latest', 'chatgpt-image-latest'],
  ])('%s → %s', (name, id) => {
    const resolution = catalogue.resolve(name)
    expect(resolution).toMatchObject({ asked: name, id, model: { id } })
    expect(resolution).not.toHaveProperty('successorOf')
  })

  test('in whatever case it is written', () => {
    expect(catalogue.resolve('Nano-Banana-2').id).toBe('gemini-3.1-flash-image')
    expect(catalogue.resolve('MODELS/Google/GEMINI-3-PRO-IMAGE').id).toBe('gemini-3-pro-image')
  })

  test('whether or not a vendor stands before it, for every name that is listed', () => {
    for (const { id, model } of catalogue.list()) {
      for (const name of [id, `models/${id}`, `google/${id}`, `models/google/${id}`, id.toUpperCase()]) {
        expect(catalogue.resolve(name).model).toBe(model)
      }
    }
  })
})

describe('nano-banana-hd', () => {
  test('means 4K', () => {
    expect(catalogue.resolve('nano-banana-hd').defaults).toEqual({ resolution: '4K' })
  })

  test('is the only name that asks for something by itself', () => {
    const asking = catalogue.list().filter(({ id }) => catalogue.resolve(id).defaults.resolution !== undefined)
    expect(asking.map(({ id }) => id)).toEqual(['nano-banana-hd'])
  })
})

describe('an unknown name', () => {
  test.each([
    ['gemini-9-ultra-image', 'gemini-9-ultra-image'],
    ['models/gemini-9-ultra-image', 'gemini-9-ultra-image'],
    ['Models/My-Deployment', 'My-Deployment'],
    ['google/gemini-9-ultra-image', 'google/gemini-9-ultra-image'],
    ['black-forest-labs/flux', 'black-forest-labs/flux'],
    ['', ''],
    ['__proto__', '__proto__'],
    ['constructor', 'constructor'],
  ])('%j passes unchecked as %j', (name, id) => {
    expect(catalogue.resolve(name, speaking('gemini', 'openai'))).toEqual({
      asked: name,
      id,
      model: null,
      defaults: {},
    })
  })

  test('of any kind resolves to something', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), name => {
        const { asked, id, model } = catalogue.resolve(name, speaking('gemini'))
        expect(asked).toBe(name)
        if (!model) expect(name.endsWith(id)).toBe(true)
      }),
    )
  })
})

describe('a retired name', () => {
  const retired = ['dall-e-2', 'dall-e-3', 'gpt-image-1', 'imagen-3.0-generate-002', 'imagen-4.0-ultra-generate-001']

  test.each(retired)('%s means the nearest living model of a configured upstream', name => {
    expect(catalogue.resolve(name, speaking('gemini'))).toMatchObject({
      id: 'gemini-3.1-flash-image',
      model: { protocol: 'gemini' },
      successorOf: name,
    })
    expect(catalogue.resolve(name, speaking('openai'))).toMatchObject({
      id: 'gpt-image-2',
      model: { protocol: 'openai' },
      successorOf: name,
    })
  })

  test('stays with its vendor where upstreams of both are configured', () => {
    const both = speaking('gemini', 'openai')
    expect(catalogue.resolve('dall-e-3', both).id).toBe('gpt-image-2')
    expect(catalogue.resolve('imagen-4.0-generate-001', both).id).toBe('gemini-3.1-flash-image')
  })

  test('means a model that is served, where nobody serves the nearest', () => {
    const reseller = {
      legacyAliases: true,
      isServed: ({ id }: { readonly id: string }) => id === 'gemini-3.1-flash-image',
    }
    for (const name of retired) expect(catalogue.resolve(name, reseller).id).toBe('gemini-3.1-flash-image')
  })

  test('is told apart from its living namesakes', () => {
    expect(catalogue.resolve('gpt-image-1-mini', speaking('gemini')).id).toBe('gpt-image-1-mini')
    expect(catalogue.resolve('gpt-image-1.5', speaking('gemini')).id).toBe('gpt-image-1.5')
  })

  test('is understood with what people write before it', () => {
    expect(catalogue.resolve('models/imagen-4.0-generate-001', speaking('gemini'))).toMatchObject({
      id: 'gemini-3.1-flash-image',
      successorOf: 'imagen-4.0-generate-001',
    })
    expect(catalogue.resolve('openai/DALL-E-3', speaking('gemini')).id).toBe('gemini-3.1-flash-image')
  })

  test.each(retired)('%s passes as it is where nothing may stand in', name => {
    const asItIs = { asked: name, id: name, model: null, defaults: {} }
    expect(catalogue.resolve(name)).toEqual(asItIs)
    expect(catalogue.resolve(name, { ...speaking('gemini'), legacyAliases: false })).toEqual(asItIs)
    expect(catalogue.resolve(name, speaking())).toEqual(asItIs)
  })
})

describe('the list of names', () => {
  const list = catalogue.list()

  test('has the canonical ids first, then the aliases', () => {
    const firstAlias = list.findIndex(({ isAlias }) => isAlias)
    expect(list.slice(0, firstAlias).every(({ id, model }) => id === model.id)).toBe(true)
    expect(list.slice(firstAlias).every(({ id, model, isAlias }) => isAlias && id !== model.id)).toBe(true)
    expect(list.slice(0, firstAlias).map(({ id }) => id)).toEqual([
      'gemini-nano-banana-2.1',
      'gemini-3.1-flash-image',
      'gemini-3-pro-image',
      'gemini-3.1-flash-lite-image',
      'gemini-2.5-flash-image',
      'gpt-image-2',
      'gpt-image-2-2026-04-21',
      'gpt-image-2.5-sunburst',
      'gpt-image-2.5-sunburst-2026-09-08',
      'gpt-image-2.5-flare',
      'gpt-image-2.5-flare-2026-09-08',
      'gpt-image-2.6-sunburst',
      'gpt-image-2.6-flare',
      'gpt-image-1.5',
      'chatgpt-image-latest',
      'gpt-image-1-mini',
    ])
  })

  test('names nothing twice and nothing that is retired', () => {
    const ids = list.map(({ id }) => id)
    expect(new Set(ids).size).toBe(ids.length)
    expect(ids.filter(id => /^(dall-e|imagen|gpt-image-1$)/.test(id))).toEqual([])
  })
})
