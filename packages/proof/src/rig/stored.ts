import { existsSync, readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseClient } from './database.ts'

/** Every file below a directory that is there now. */
export function filesIn(directory: string): readonly string[] {
  if (!existsSync(directory)) return []
  return readdirSync(directory, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
}

/** Where the service keeps a file, below its data directory. */
const pathOf = ({ account_id, hash }: Named): string => join('blobs', account_id, hash.slice(0, 2), hash)

interface Named {
  readonly account_id: string
  readonly hash: string
}

export interface Stored {
  /** Rows that need a file, and whose file is not there as a whole. */
  readonly withoutFile: readonly string[]
  /** Files that nothing in the database needs. */
  readonly withoutRow: readonly string[]
}

/** Compares what the database says is stored with what lies on the disk. */
export async function compareStored(admin: DatabaseClient, dataDirectory: string): Promise<Stored> {
  const { rows } = await admin.query<Named & { bytes: string | null }>(
    `select n.account_id, n.hash, b.bytes from (
       select account_id, hash from cosnap.photos
       union select account_id, result_hash from cosnap.runs where result_hash is not null
       union select account_id, hash from seaworthy.blob_references
       union select account_id, hash from seaworthy.blobs where unused_since is null) n
     left join seaworthy.blobs b on b.account_id = n.account_id and b.hash = n.hash`,
  )
  const isWhole = (path: string, bytes: number): boolean => existsSync(path) && statSync(path).size === bytes
  const needed = new Set(rows.map((row) => join(dataDirectory, pathOf(row))))
  return {
    withoutFile: rows
      .filter((row) => !isWhole(join(dataDirectory, pathOf(row)), Number(row.bytes)))
      .map((row) => pathOf(row)),
    withoutRow: ['blobs', join('media', 'drafts'), join('media', 'uploads')]
      .flatMap((name) => filesIn(join(dataDirectory, name)))
      .filter((path) => !needed.has(path)),
  }
}
