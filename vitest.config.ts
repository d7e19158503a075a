import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/sdk-other-languages/**'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Most tests wait for sockets: with one worker less than there are cores, two cores would idle.
    maxWorkers: 3,
  },
})
