import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/sdk-other-languages/**'],
    testTimeout: 20_000,
    hookTimeout: 30_000,
    // Most tests wait for sockets: with one worker less than there are cores, two cores would idle.
    maxWorkers: 3,
    // Modules are loaded and compiled once per worker instead of once per file, which is a third of all the time. So a test
    // leaves a process as it found it: its servers closed, its variables as they were.
    isolate: false,
  },
})
