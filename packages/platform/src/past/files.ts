import { createHash } from 'node:crypto'
import { buffer } from 'node:stream/consumers'
import type { AccountId } from '@seaworthy/core'
import { type Database, sql } from '../data/index.ts'
import type { MediaRoom } from '../media/index.ts'
import { keyOfBlob, type Plan } from '../recovery/index.ts'
import type { Reference } from './references.ts'

interface FileParts {
  readonly live: Database
  readonly media: MediaRoom
  readonly store: Plan['store']
}

/**
 * Stores the content of files again, before their rows come: what is stored and never kept is removed after a day, so
 * nothing is left of a merge that was killed. Returns the hashes, with their accounts, that are nowhere any more.
 */
export async function bringFiles(parts: FileParts, wanted: readonly Reference[]): Promise<ReadonlySet<string>> {
  const missing = new Set<string>()
  const seen = new Set<string>()
  for (const file of wanted) {
    const name = fileNameOf(file)
    if (seen.has(name)) continue
    seen.add(name)
    if (!(await bringFile(parts, file))) missing.add(name)
  }
  return missing
}

export const fileNameOf = ({ account, hash }: Pick<Reference, 'account' | 'hash'>): string => `${account}/${hash}`

async function bringFile(parts: FileParts, file: Reference): Promise<boolean> {
  const { live, media } = parts
  const accountId = file.account as AccountId
  const kept = await live.withCaller({ accountId }, (tx) =>
    tx.maybe(
      sql`select 1 from seaworthy.blobs where account_id = seaworthy.account_id() and hash = ${file.hash} and unused_since is null`,
    ),
  )
  if (kept && (await media.store.size(fileNameOf(file))) !== undefined) return true
  const bytes = await contentOf(parts, file)
  if (!bytes) return false
  await media.media.storeBytes({ accountId }, bytes, file.type)
  return true
}

/** From the store of recovery points, or where files are now. */
async function contentOf({ store, media }: FileParts, file: Reference): Promise<Buffer | undefined> {
  const kept = await store.read(keyOfBlob(file.account, file.hash))
  if (kept && isItself(kept, file)) return kept
  const stream = await media.store.read(fileNameOf(file))
  const bytes = stream && (await buffer(stream))
  return bytes && isItself(bytes, file) ? bytes : undefined
}

const isItself = (bytes: Buffer, { hash }: Reference): boolean =>
  createHash('sha256').update(bytes).digest('hex') === hash
