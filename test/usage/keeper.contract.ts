/** What every keeper of usage promises, as one suite. */
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noCounts, TooManyRows, type UsageKeeper, type UsageRow } from '../../src/usage/usage.ts'

export const row = (
  caller: string,
  counts: Partial<UsageRow['counts']> = {},
  more: Partial<UsageRow> = {},
): UsageRow => ({
  day: '2026-11-21',
  model: 'gemini-3-pro-image',
  caller,
  ...more,
  counts: { ...noCounts, requests: 1, ...counts },
})

const year = { from: '2026-01-01', to: '2026-12-31', mostRows: 1000 }

export function keeperContract(name: string, open: () => Promise<UsageKeeper>) {
  describe(name, () => {
    let keeper: UsageKeeper
    beforeAll(async () => {
      keeper = await open()
    })
    afterAll(() => keeper.close())

    test('what was never used is no row', async () => {
      expect(await keeper.read(year)).toEqual([])
    })

    test('rows of one day, caller and model are added up, measure by measure', async () => {
      keeper.add(row('sums', { images: 2, inputTokens: 10, outputTokens: 20, tokens: 30, microUsd: 39_000 }))
      keeper.add(row('sums', { failed: 1, microUsd: 1 }))
      keeper.add(row('sums', {}, { model: 'other' }))
      const rows = await keeper.read({ ...year, caller: 'sums' })
      expect(rows).toEqual([
        row('sums', {
          requests: 2,
          failed: 1,
          images: 2,
          inputTokens: 10,
          outputTokens: 20,
          tokens: 30,
          microUsd: 39_001,
        }),
        row('sums', {}, { model: 'other' }),
      ])
    })

    test('a question is for days, a caller, a model or all, and the answer is in order', async () => {
      const days = ['2026-11-24', '2026-11-22', '2026-11-23']
      const models = ['gpt-image-2', 'gemini-3-pro-image']
      for (const day of days)
        for (const caller of ['zoe', 'adam']) for (const model of models) keeper.add(row(caller, {}, { day, model }))
      const read = async (question: object) =>
        (await keeper.read({ from: '2026-11-22', to: '2026-11-24', mostRows: 12, ...question })).map(
          ({ day, caller, model }) => `${day} ${caller} ${model}`,
        )
      const all = await read({})
      expect(all).toHaveLength(12)
      expect(all).toEqual(all.toSorted())
      expect(await read({ from: '2026-11-23', to: '2026-11-23', caller: 'zoe' })).toEqual([
        '2026-11-23 zoe gemini-3-pro-image',
        '2026-11-23 zoe gpt-image-2',
      ])
      expect(await read({ to: '2026-11-23', model: 'gpt-image-2', caller: 'adam' })).toEqual([
        '2026-11-22 adam gpt-image-2',
        '2026-11-23 adam gpt-image-2',
      ])
      expect(await read({ caller: 'nobody' })).toEqual([])
      await expect(read({ mostRows: 11 })).rejects.toThrow(TooManyRows)
    })

    test('sums of money stay whole numbers, however many there are', async () => {
      for (let n = 0; n < 5000; n++) keeper.add(row('many', { microUsd: 134_217_727 + n }))
      const [one] = await keeper.read({ ...year, caller: 'many' })
      expect(one?.counts).toMatchObject({ requests: 5000, microUsd: 5000 * 134_217_727 + (4999 * 5000) / 2 })
    })

    test('more rows than one command writes are all there', async () => {
      for (let n = 0; n < 250; n++) keeper.add(row(`crowd-${n}`, { images: n }, { day: '2026-06-01' }))
      const rows = await keeper.read({ ...year, from: '2026-06-01', to: '2026-06-01' })
      expect(rows.map(({ counts }) => counts.images).toSorted((a, b) => a - b)).toEqual(
        Array.from({ length: 250 }, (_, n) => n),
      )
      expect(keeper.lost()).toBe(0)
    })
  })
}
