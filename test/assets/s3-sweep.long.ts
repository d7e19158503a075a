/** As many pictures as it takes to fill a list of the bucket's: a thousand. */
import { afterAll, expect, test } from 'vitest'
import { createS3Store } from '../../src/assets/s3-store.ts'
import { newName } from '../../src/assets/store.ts'
import { findS3 } from '../helpers/s3.ts'
import { base64Of, never, noise, start } from './store.contract.ts'

const s3 = await findS3(['crowded'])
afterAll(() => s3?.stop())

test.skipIf(!s3)('a bucket with more expired pictures than a list holds is swept nevertheless', async () => {
  let now = start
  const store = createS3Store({
    bucket: 'crowded',
    prefix: 'plantain-',
    region: 'us-east-1',
    endpoint: s3?.endpoint ?? '',
    accessKey: s3?.accessKey ?? '',
    secretKey: s3?.secretKey ?? '',
    pathStyle: true,
    nowSeconds: () => now,
    onFault: error => {
      throw error
    },
  })
  const names = Array.from({ length: 1030 }, () => newName('image/png', start + 60))
  for (let at = 0; at < names.length; at += 50) {
    await Promise.all(names.slice(at, at + 50).map(name => store.put(name, base64Of(noise(1)), never)))
  }
  now += 120
  await store.sweep()
  expect(await s3?.list('crowded')).toEqual([])
  await store.close()
})
