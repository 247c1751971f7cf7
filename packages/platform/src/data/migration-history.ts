import { type Migration, type MigrationSource, readMigrations } from './migration.ts'

/** What the database remembers of one file. */
export interface AppliedMigration {
  readonly app: string
  readonly name: string
  readonly checksum: string
}

/** The files of this release are not those that the database was made with: no second try mends it. */
export class HistoryError extends Error {
  override readonly name = 'HistoryError'
}

/**
 * The files of one source that are not applied yet, in order. Throws `HistoryError` when an applied file was changed or
 * is missing; what a newer release applied after all of ours is well.
 */
export function comparePending(source: MigrationSource, history: readonly AppliedMigration[]): readonly Migration[] {
  const applied = new Map(history.flatMap(({ app, name, checksum }) => (app === source.app ? [[name, checksum]] : [])))
  const files = readMigrations(source)
  const changed = files.find(({ name, checksum }) => (applied.get(name) ?? checksum) !== checksum)
  if (changed)
    throw new HistoryError(
      `The migration ${source.app}/${changed.name} was changed after it was applied.\n    HINT: restore the file and put the change into a new one.`,
    )
  // A newer release expanded the schema and was rolled back: its migrations come after all of ours, and ours still hold.
  const newest = files.at(-1)?.name ?? ''
  const known = new Set(files.map(({ name }) => name))
  const missing = [...applied.keys()].filter((name) => name <= newest && !known.has(name))
  if (missing.length)
    throw new HistoryError(
      `The database has migrations of ${source.app} that this release lost: ${missing.join(', ')}.\n    HINT: restore the files.`,
    )
  return files.filter(({ name }) => !applied.has(name))
}
