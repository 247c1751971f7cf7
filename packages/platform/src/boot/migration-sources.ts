import type { MigrationSource } from '../data/index.ts'
import type { App } from '../definition/index.ts'

/** The migrations of each app that has some; the platform's come before them. */
export const migrationSources = (apps: readonly App[]): readonly MigrationSource[] =>
  apps.flatMap((app) => (app.migrations ? [{ app: app.name, directory: app.migrations }] : []))
