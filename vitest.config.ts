import { defineConfig } from 'vitest/config'

// `fast` runs with `npm test`. Files named *.slow.test.ts run in CI after it: `waiting` are those that mostly wait for
// time to pass and need little of a processor, so that they run beside `slow`.
const waiting = ['db/embedded', 'commands/estimate', 'commands/small-disk', 'http/silent', 'queue/silent-redis'].map(
  (file) => `tests/${file}.slow.test.ts`,
)
const shared = {
  environment: 'node',
  testTimeout: 30_000,
  hookTimeout: 60_000,
  pool: 'forks',
} as const

export default defineConfig({
  test: {
    maxWorkers: 2,
    projects: [
      {
        test: {
          ...shared,
          name: 'fast',
          include: ['tests/**/*.test.ts'],
          exclude: ['tests/**/*.slow.test.ts'],
          setupFiles: ['tests/environment/leak-guard.ts'],
        },
      },
      {
        test: {
          ...shared,
          name: 'slow',
          include: ['tests/**/*.slow.test.ts'],
          exclude: waiting,
          testTimeout: 300_000,
        },
      },
      { test: { ...shared, name: 'waiting', include: waiting, testTimeout: 300_000 } },
    ],
  },
})
