import { existsSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { readSecretFile, replaceSecret } from './secrets.ts'

const NAME = 'DATABASE_URL'
const AUTHORITY = 'DATABASE_CA'

/** Where the database of this data directory is since it was moved, while no setting says otherwise. */
export interface KeptDatabase {
  readonly url: string
  /** The file with the authority that signed its certificate, when it has one of its own. */
  readonly caFile: string | undefined
}

const secretsOf = (dataDirectory: string): string => join(dataDirectory, 'secrets')

export function readKeptDatabase(dataDirectory: string): KeptDatabase | undefined {
  const url = readSecretFile(join(secretsOf(dataDirectory), NAME))
  const caFile = join(secretsOf(dataDirectory), AUTHORITY)
  return url ? { url, caFile: existsSync(caFile) ? caFile : undefined } : undefined
}

/** One rename is the change: whoever starts before it uses the one database, whoever starts after it the other. */
export function keepDatabase(dataDirectory: string, url: string, ca: string | undefined): void {
  if (ca) replaceSecret(secretsOf(dataDirectory), AUTHORITY, ca)
  else rmSync(join(secretsOf(dataDirectory), AUTHORITY), { force: true })
  replaceSecret(secretsOf(dataDirectory), NAME, url)
}

/** The embedded one counts again. */
export function forgetKeptDatabase(dataDirectory: string): void {
  rmSync(join(secretsOf(dataDirectory), NAME), { force: true })
  rmSync(join(secretsOf(dataDirectory), AUTHORITY), { force: true })
}
