import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Where an app, or the platform, keeps its numbered SQL files. */
export interface MigrationSource {
  readonly app: string
  readonly directory: URL
}

export interface Migration {
  readonly app: string
  /** `0001-photos.sql` */
  readonly name: string
  readonly text: string
  readonly checksum: string
}

const fileForm = /^\d{4}-[a-z0-9-]+\.sql$/

export const platformMigrations: MigrationSource = {
  app: 'platform',
  directory: new URL('../../migrations/', import.meta.url),
}

/** The files of one source in the order of their numbers; numbers may be missing. */
export function readMigrations(source: MigrationSource): readonly Migration[] {
  const directory = fileURLToPath(source.directory)
  const names = readdirSync(directory)
    .filter((name) => name.endsWith('.sql'))
    .sort()
  return names.map((name) => {
    if (!fileForm.test(name)) throw new Error(`${join(directory, name)} is not named like 0001-what-it-does.sql`)
    const text = readFileSync(join(directory, name), 'utf8')
    return { app: source.app, name, text, checksum: createHash('sha256').update(text).digest('hex') }
  })
}

/** What the first line says: `-- no transaction: create index concurrently cannot run in one`. Undefined without it. */
export function whyNoTransaction({ text }: Pick<Migration, 'text'>): string | undefined {
  return /^-- no transaction: *(\S.*)/.exec(text)?.[1]
}
