import { defineConfig } from 'vitest/config'

export default defineConfig({
  resolve: { conditions: ['source'] },
  ssr: { resolve: { conditions: ['source'], externalConditions: ['source'] } },
  test: {
    include: ['packages/**/*.test.ts', 'apps/**/*.test.ts', 'tests/**/*.test.ts'],
    globalSetup: ['packages/testkit/src/global-setup.ts'],
    // A library of theirs has its TypeScript behind the condition `source`, which Node does not run.
    server: { deps: { inline: [/@ai-sdk\//, /eventsource-parser/] } },
    pool: 'forks',
    maxWorkers: 2,
    // They end what hangs. How fast something is, is measured elsewhere.
    testTimeout: 120_000,
    hookTimeout: 120_000,
    reporters: ['default'],
  },
})
