import { defineConfig } from 'vitest/config'

// Two sets: `fast` runs with `npm test`, `slow` (files named *.slow.test.ts) in CI after it.
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
      { test: { ...shared, name: 'slow', include: ['tests/**/*.slow.test.ts'], testTimeout: 300_000 } },
    ],
  },
})
