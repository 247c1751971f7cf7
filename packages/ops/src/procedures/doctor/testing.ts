import type { Installation } from './installation.ts'

/** An installation where nothing answers but what a test gives. */
export const fakeInstallation = (more: Partial<Installation> = {}): Installation => ({
  directory: '/nowhere',
  build: { version: '1.0.0', commit: 'a'.repeat(40) },
  config: undefined,
  faults: [],
  missingSecrets: [],
  host: undefined,
  serving: undefined,
  query: async () => [],
  pendingMigrations: async () => [],
  weakRights: async () => [],
  ring: () => [],
  recoveryProblem: async () => undefined,
  lastDrill: async () => undefined,
  pingRedis: async () => undefined,
  run: async () => ({ code: 0, output: '' }),
  ...more,
})
