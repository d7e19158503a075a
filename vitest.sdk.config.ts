import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/sdk-other-languages/**/*.test.ts'],
    testTimeout: 300_000,
    hookTimeout: 1_200_000,
    fileParallelism: false,
  },
})
