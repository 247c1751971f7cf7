import { createHash } from 'node:crypto'
import { mkdir, readdir, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import {
  type AccountCaller,
  type AccountId,
  type Clock,
  fault,
  HOUR,
  MiB,
  newId,
  type Secret,
  showBytes,
  type UserId,
} from '@seaworthy/core'
import { type EventOrigin, recordEvent } from '../audit/index.ts'
import { type Database, onPurpose, refuseInTransaction, sql, type Transaction } from '../data/index.ts'
import { createDerivatives, type Derivatives } from './derivatives.ts'
import { forgetPictures, writeCleanPhoto } from './drivers/sharp.ts'
import { createPartialUploads, type PartialUploads } from './partial-uploads.ts'
import { hashFile, receiveFile, sniffImage } from './receive.ts'
import type { FileCheck } from './scanner.ts'
import { signMediaUrl, type Variant } from './signed-url.ts'
import type { BlobStore } from './store.ts'
import { createWorkQueue, type WorkQueue } from './work-queue.ts'

/** A file that is stored, for this account only. */
export interface StoredBlob {
  readonly hash: string
  readonly bytes: number
  readonly type: string
}

export interface StoredPhoto extends StoredBlob {
  readonly width: number
  readonly height: number
}

/** Private files of accounts. What is stored is unused until `keep`, and what is unused for a day is removed. */
export interface Media {
  /** Files that arrive in parts. */
  readonly uploads: PartialUploads
  /**
   * Receives, checks, cleans and stores a photo. Not in a transaction: it waits for the network. Throws `unusable_image`,
   * and where files are scanned `infected_file`, which is a security event too, and `scanner_unavailable`.
   */
  storePhoto(caller: Sender, stream: Readable, maxBytes: number, origin?: EventOrigin): Promise<StoredPhoto>
  storeBytes(caller: AccountCaller, bytes: Uint8Array, type: string): Promise<StoredBlob>
  /** `owner` refers to the blob from now on. Throws `quota_exceeded` when the account's files would be too much together. */
  keep(tx: Transaction, hash: string, owner: string): Promise<void>
  discard(tx: Transaction, hash: string, owner: string): Promise<void>
  readBytes(caller: AccountCaller, hash: string): Promise<Buffer>
  /** Heavy work on pictures waits its turn here; `unavailable` when too much waits already. */
  heavy<T>(work: () => Promise<T>): Promise<T>
  /** An address that works for a while, for everybody who has it. */
  url(caller: AccountCaller, hash: string, variant: Variant): string
}

/** Whose file it is, and where known who sent it. */
type Sender = AccountCaller & { readonly userId?: UserId }

export interface MediaSettings {
  readonly database: Database
  readonly store: BlobStore
  /** For drafts and smaller versions, on this machine's disk. */
  readonly directory: string
  readonly secret: Secret
  readonly urlMs: number
  /** What one account may keep, together. */
  readonly quotaBytes: number
  readonly concurrency: number
  /** Asked about every upload before anything else reads it. */
  readonly check?: FileCheck | undefined
  readonly clock: Clock
}

/** What a sweep removed, and how many blobs it could not: one that fails does not keep the others. */
interface SweepReport {
  readonly blobs: number
  readonly drafts: number
  readonly failures: readonly unknown[]
}

/** What the HTTP and boot rooms need besides. */
export interface MediaRoom {
  readonly media: Media
  readonly store: BlobStore
  readonly derivatives: Derivatives
  readonly queue: WorkQueue
  /** Removes unused blobs, forgotten drafts and too many smaller versions. */
  sweep(): Promise<SweepReport>
  /** Every file of an account that is no more, also those that no row knows any more. */
  forgetAccount(accountId: AccountId): Promise<void>
}

const WAITING_MAX = 200
const UNUSED_MS = 24 * HOUR
const DRAFT_MS = HOUR
const DERIVED_BYTES_MAX = 2_048 * MiB
const SWEEP_ROWS_MAX = 500

export function createMedia(settings: MediaSettings): MediaRoom {
  const queue = createWorkQueue(settings.concurrency, WAITING_MAX)
  const drafts = join(settings.directory, 'drafts')
  const derivatives = createDerivatives(join(settings.directory, 'derived'), settings.store, queue)
  const uploads = createPartialUploads(join(settings.directory, 'uploads'))
  const media: Media = {
    uploads,
    storePhoto: (sender, stream, maxBytes, origin) =>
      storePhoto(settings, { queue, drafts }, { sender, stream, maxBytes, origin }),
    storeBytes: async (caller, bytes, type) => {
      refuseInTransaction('a file is stored')
      const blob = { hash: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.byteLength, type }
      await announce(settings.database, caller.accountId, blob)
      await settings.store.putBytes(`${caller.accountId}/${blob.hash}`, bytes)
      return blob
    },
    keep: async (tx, hash, owner) => {
      await lockBlob(tx, hash)
      await tx.run(
        sql`insert into seaworthy.blob_references (account_id, hash, owner) values (seaworthy.account_id(), ${hash}, ${owner}) on conflict do nothing`,
      )
      if (
        await tx.run(
          sql`update seaworthy.blobs set unused_since = null where hash = ${hash} and unused_since is not null`,
        )
      )
        await refuseOverQuota(tx, settings.quotaBytes)
    },
    discard: async (tx, hash, owner) => {
      await lockBlob(tx, hash)
      await tx.run(sql`delete from seaworthy.blob_references where hash = ${hash} and owner = ${owner}`)
      await tx.run(
        sql`update seaworthy.blobs set unused_since = now() where hash = ${hash} and unused_since is null and not exists (select 1 from seaworthy.blob_references r where r.hash = ${hash})`,
      )
    },
    readBytes: async (caller, hash) => {
      const stream = await settings.store.read(`${caller.accountId}/${hash}`)
      if (!stream) throw fault('not_found', { internal: `the blob ${hash} is not in the store` })
      return buffer(stream)
    },
    heavy: (work) => queue.run(work),
    url: (caller, hash, variant) =>
      signMediaUrl(
        { accountId: caller.accountId, hash, variant },
        settings.secret,
        settings.clock.now(),
        settings.urlMs,
      ),
  }
  return {
    media,
    store: settings.store,
    derivatives,
    queue,
    sweep: () => sweep(settings, { uploads, derivatives, drafts }),
    forgetAccount: async (accountId) => {
      await settings.store.deleteAccount(accountId)
      await derivatives.removeAccount(accountId)
      await uploads.removeAccount(accountId)
    },
  }
}

/** Keeping and discarding one blob go one after the other: each sees what the other did. */
const lockBlob = (tx: Transaction, hash: string): Promise<number> =>
  tx.run(sql`select 1 from seaworthy.blobs where account_id = seaworthy.account_id() and hash = ${hash} for update`)

/** Uploads of one account are counted one after the other: together they never exceed what it may keep. */
async function refuseOverQuota(tx: Transaction, quotaBytes: number): Promise<void> {
  await tx.run(sql`select pg_advisory_xact_lock(hashtextextended('quota ' || seaworthy.account_id(), 0))`)
  const { kept } = await tx.one<{ kept: number }>(
    sql`select coalesce(sum(bytes), 0)::bigint as kept from seaworthy.blobs where account_id = seaworthy.account_id() and unused_since is null`,
  )
  if (kept > quotaBytes)
    throw fault('quota_exceeded', {
      detail: `An account may keep ${showBytes(quotaBytes)}. Delete photos that you no longer need.`,
    })
}

interface Upload {
  readonly sender: Sender
  readonly stream: Readable
  readonly maxBytes: number
  readonly origin: EventOrigin | undefined
}

async function storePhoto(
  settings: MediaSettings,
  parts: { queue: WorkQueue; drafts: string },
  upload: Upload,
): Promise<StoredPhoto> {
  refuseInTransaction('a file is stored')
  const { accountId } = upload.sender
  const received = await receiveFile(upload.stream, parts.drafts, upload.maxBytes)
  const clean = join(parts.drafts, newId())
  try {
    await refuseInfected(settings, upload, received.path)
    await sniffImage(received.path)
    const info = await parts.queue.run(() => writeCleanPhoto(received.path, clean))
    const { hash, bytes } = await hashFile(clean)
    await announce(settings.database, accountId, { hash, bytes, type: info.type })
    await settings.store.putFile(`${accountId}/${hash}`, clean, bytes)
    return { hash, bytes, ...info }
  } catch (error) {
    throw isFull(error) ? fault('storage_full', { cause: error }) : error
  } finally {
    await Promise.all([rm(received.path, { force: true }), rm(clean, { force: true })])
    forgetPictures()
  }
}

/** An operator learns of it before the sender does. */
async function refuseInfected({ check, database }: MediaSettings, upload: Upload, path: string): Promise<void> {
  const verdict = await check?.(path)
  if (verdict?.kind !== 'infected') return
  const { hash, bytes } = await hashFile(path)
  const { sender, origin } = upload
  const event = {
    action: 'infected_upload',
    outcome: 'refused',
    accountId: sender.accountId,
    userId: sender.userId,
    resource: hash,
    details: { found: verdict.name, bytes },
    errorCode: 'infected_file',
    origin,
  } as const
  await database.withCaller({ accountId: sender.accountId }, (tx) => recordEvent(tx, event))
  throw fault('infected_file', { internal: `the virus scanner found ${verdict.name}` })
}

/** The row comes before the file: so every file has a row, and the janitor never has to list the store. */
async function announce(database: Database, accountId: AccountId, blob: StoredBlob): Promise<void> {
  await database.withCaller({ accountId }, (tx) =>
    tx.run(sql`
    insert into seaworthy.blobs (account_id, hash, bytes, type, unused_since) values (${accountId}, ${blob.hash}, ${blob.bytes}, ${blob.type}, now())
    on conflict (account_id, hash) do update set unused_since = now() where blobs.unused_since is not null`),
  )
}

interface SweepParts {
  readonly uploads: PartialUploads
  readonly derivatives: Derivatives
  readonly drafts: string
}

async function sweep(settings: MediaSettings, { uploads, derivatives, drafts }: SweepParts): Promise<SweepReport> {
  const before = new Date(settings.clock.now() - UNUSED_MS)
  const due = await settings.database.withDuty('janitor', (tx) =>
    tx.many<{ account_id: AccountId; hash: string }>(sql`
    select account_id, hash from seaworthy.blobs where unused_since < ${before} limit ${SWEEP_ROWS_MAX}`),
  )
  let blobs = 0
  const failures: unknown[] = []
  for (const blob of due) {
    const removed = await removeBlob(settings, blob, before).catch((error: unknown) => {
      failures.push(error)
      return 0
    })
    if (removed) await derivatives.remove(blob.account_id, blob.hash)
    blobs += removed
  }
  await derivatives.trim(DERIVED_BYTES_MAX)
  const unfinished = await uploads.sweep(settings.clock.now() - UNUSED_MS)
  const old = await removeOldDrafts(drafts, settings.clock.now() - DRAFT_MS)
  return { blobs, drafts: unfinished + old, failures }
}

/** The file goes while the row is locked: an upload of the same content waits, and then stores it again. */
async function removeBlob(
  settings: MediaSettings,
  blob: { account_id: AccountId; hash: string },
  before: Date,
): Promise<number> {
  return settings.database.withCaller({ accountId: blob.account_id }, async (tx) => {
    await tx.run(sql`set local app.duty = 'janitor'`)
    const removed = await tx.run(
      sql`delete from seaworthy.blobs where account_id = ${blob.account_id} and hash = ${blob.hash} and unused_since < ${before}`,
    )
    if (removed) await onPurpose(() => settings.store.delete(`${blob.account_id}/${blob.hash}`))
    return removed
  })
}

async function removeOldDrafts(directory: string, before: number): Promise<number> {
  await mkdir(directory, { recursive: true, mode: 0o700 })
  let removed = 0
  for (const name of await readdir(directory)) {
    const path = join(directory, name)
    const found = await stat(path).catch(() => undefined)
    if (!found || found.mtimeMs > before) continue
    await rm(path, { force: true })
    removed++
  }
  return removed
}

const isFull = (error: unknown): boolean => ['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? '')
