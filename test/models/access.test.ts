import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { mayUse } from '../../src/models/access.ts'
import { patternMatches } from '../../src/models/patterns.ts'
import { catalogue, speaking } from './shipped.ts'

describe('a pattern', () => {
  test.each([
    ['gemini-*', 'gemini-3-pro-image'],
    ['*', 'anything'],
    ['*', ''],
    ['*-image', 'gemini-3-pro-image'],
    ['gemini-*-image', 'gemini-3-pro-image'],
    ['gemini*flash*', 'gemini-2.5-flash-image'],
    ['a*b*c', 'aXbXbXc'],
    ['*a*', 'a'],
    ['a**b', 'ab'],
    ['gpt-image-2', 'gpt-image-2'],
    ['Gemini-*', 'gemini-3-pro-image'],
  ])('%s covers %j', (pattern, name) => {
    expect(patternMatches(pattern, name)).toBe(true)
  })

  test.each([
    ['gemini-*', 'my-gemini-3'],
    ['*-image', 'gemini-3-pro-image-2'],
    ['gpt-image-2', 'gpt-image-2.5-flare'],
    ['gpt-image-2', 'gpt-imageX2'],
    ['gemini-.*', 'gemini-3-pro-image'],
    ['gemini-[23]*', 'gemini-3-pro-image'],
    ['aXa*aXa', 'aXaXa'],
    ['a*b*c', 'acb'],
    ['', 'a'],
  ])('%s does not cover %j', (pattern, name) => {
    expect(patternMatches(pattern, name)).toBe(false)
  })

  test('covers exactly what the textbook says', () => {
    const letters = fc.string({ unit: fc.constantFrom('a', 'b'), maxLength: 12 })
    const patterns = fc.string({ unit: fc.constantFrom('a', 'b', '*'), maxLength: 8 })
    fc.assert(
      fc.property(patterns, letters, (pattern, name) => {
        expect(patternMatches(pattern, name)).toBe(textbook(pattern, name))
      }),
      { numRuns: 2000 },
    )
  })

  test('that would keep a backtracking matcher busy for ages is answered', () => {
    const pattern = `${'a*'.repeat(2000)}b`
    expect(patternMatches(pattern, 'a'.repeat(5000))).toBe(false)
  })

  /** The definition of a star, word by word; slow, and obviously right. */
  function textbook(pattern: string, name: string): boolean {
    if (pattern === '') return name === ''
    if (pattern.startsWith('*')) {
      return textbook(pattern.slice(1), name) || (name !== '' && textbook(pattern, name.slice(1)))
    }
    return name !== '' && pattern[0] === name[0] && textbook(pattern.slice(1), name.slice(1))
  }
})

describe('a caller’s list of models', () => {
  const may = (list: readonly string[] | null, name: string) =>
    mayUse(list, catalogue.resolve(name, speaking('gemini')), catalogue)

  test('that is absent allows everything', () => {
    expect(may(null, 'nano-banana')).toBe(true)
    expect(may(null, 'nobody-knows-this')).toBe(true)
  })

  test('that is empty allows nothing', () => {
    expect(may([], 'nano-banana')).toBe(false)
  })

  test('allows a model by whichever of its names', () => {
    for (const entry of ['nano-banana-2', 'gemini-3.1-flash-image', 'google/nano-banana-2', 'Nano-Banana-2']) {
      for (const name of ['nano-banana-2', 'gemini-3.1-flash-image-preview', 'models/gemini-3.1-flash-image']) {
        expect(may([entry], name)).toBe(true)
      }
      expect(may([entry], 'nano-banana-pro')).toBe(false)
    }
  })

  test('has patterns that cover canonical ids, not aliases', () => {
    expect(may(['gemini-*'], 'nano-banana')).toBe(true)
    expect(may(['gemini-2.5-*'], 'nano-banana')).toBe(true)
    expect(may(['nano-banana-p*'], 'nano-banana-pro')).toBe(false)
    expect(may(['gemini-*'], 'gpt-image-2')).toBe(false)
  })

  test('applies to models nobody knows by their name', () => {
    expect(may(['my-model'], 'my-model')).toBe(true)
    expect(may(['my-model'], 'models/my-model')).toBe(true)
    expect(may(['my-*'], 'my-model')).toBe(true)
    expect(may(['my-model'], 'your-model')).toBe(false)
  })

  test('with a retired name in it allows what stands in, asked for by that name', () => {
    expect(may(['dall-e-3'], 'dall-e-3')).toBe(true)
    expect(may(['imagen-*'], 'imagen-4.0-generate-001')).toBe(true)
    expect(may(['dall-e-3'], 'gemini-3.1-flash-image')).toBe(false)
    expect(may(['gemini-*'], 'dall-e-3')).toBe(true)
    expect(may(['gpt-*'], 'dall-e-3')).toBe(false)
  })
})
