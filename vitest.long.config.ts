import { defineConfig } from 'vitest/config'

/** Tests that take their time: clusters, faults of Redis, long schedules, more answers at once. `npm run test:long`. */
export default defineConfig({
  test: {
    include: ['test/**/*.long.ts', 'test/limits/{memory,redis}-store.test.ts', 'test/byte-path/under-load.test.ts'],
    env: { PLANTAIN_TEST_LONG: '1' },
    testTimeout: 300_000,
    hookTimeout: 120_000,
    expect: { poll: { timeout: 15_000 } },
    // A shared machine may stand still for longer than any test allows. A law that was broken once is broken.
    retry: process.env.CI ? { count: 1, condition: /^(?!Property failed)/ } : 0,
    fileParallelism: false,
  },
})
