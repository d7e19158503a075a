import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    exclude: ['test/sdk-other-languages/**'],
    // What comes, comes within milliseconds; these only end what never does. A busy machine may stall for seconds.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 15_000, interval: 10 } },
    // A shared machine may stand still for longer than any test allows. A law that was broken once is broken.
    retry: process.env.CI ? { count: 1, condition: /^(?!Property failed)/ } : 0,
    // Most tests wait for sockets: with one worker less than there are cores, two cores would idle.
    maxWorkers: 3,
    // Modules are loaded and compiled once per worker instead of once per file, which is a third of all the time. So a test
    // leaves a process as it found it: its servers closed, its variables as they were.
    isolate: false,
  },
})
