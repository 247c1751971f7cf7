import { pause } from '@seaworthy/core'
import { type OwnerSession, sql } from '../data/index.ts'
import { KEPT_MS } from './data-keys.ts'
import { rememberKey } from './fingerprints.ts'
import type { KeyRing, RingConfig } from './key-ring.ts'
import { makeKeys } from './owner-keys.ts'
import { type Refreshed, type RefreshSettings, refreshColumn } from './refresh.ts'
import { rewrapAll } from './rewrap.ts'
import { addKey, makeCurrent, removeKeys } from './ring-files.ts'
import type { SealedColumn } from './sealed-columns.ts'
import { keyStatus } from './status.ts'

export interface KeyTools {
  readonly session: OwnerSession
  readonly ring: KeyRing
  readonly config: RingConfig
  readonly columns: readonly SealedColumn[]
}

const LOCK = 7305811
const OWNERS = 1_000

/** One work on keys at a time. Throws when another one is under way. */
export async function lockKeys({ session }: Pick<KeyTools, 'session'>): Promise<void> {
  const [row] = await session.many(sql<{ locked: boolean }>`select pg_try_advisory_lock(${LOCK}) as locked`)
  if (!row?.locked)
    throw new Error('Another work on keys is under way.\n    HINT: wait until it has ended: seaworthy keys status')
}

export interface RingRotation {
  /** The fingerprint of the current key. */
  readonly current: string
  /** An earlier rotation was not finished, and this run finished it instead of making another key. */
  readonly resumed: boolean
  readonly rewrapped: number
}

/** A new current key, and every data key wrapped by it. Rows are not touched; readers notice nothing. */
export async function rotateRing({ session, ring, config }: KeyTools): Promise<RingRotation> {
  const resumed = await isUnfinished(session, ring.current().id)
  if (!resumed) {
    if (!config.keptSecrets.includes('encryptionKey')) throw new Error(byHand)
    const { id } = addKey(config)
    await rememberKey(session, id)
    makeCurrent(config, id)
  }
  await rememberKey(session, ring.current().id)
  return { current: ring.current().id, resumed, rewrapped: await rewrapAll(session, ring) }
}

const byHand = `ENCRYPTION_KEY is set from outside, so the new key is made there:
    1. put a new key into ENCRYPTION_KEYS_OLD of every machine and start them again: openssl rand -hex 32
    2. swap the two: the new one into ENCRYPTION_KEY, the former one into ENCRYPTION_KEYS_OLD, and start them again
    HINT: then run seaworthy keys rotate, and seaworthy keys retire`

async function isUnfinished(session: OwnerSession, current: string): Promise<boolean> {
  const rows = await session.many(sql`select 1 from seaworthy.account_keys where ring_key <> ${current} limit 1`)
  return rows.length > 0
}

/** A new data key for every owner, and every value sealed again with it. An unfinished run is finished first. */
export async function rotateDataKeys(
  tools: KeyTools,
  settings: RefreshSettings,
  keptMs = KEPT_MS,
): Promise<{ readonly made: number; readonly refreshed: readonly Refreshed[] }> {
  const { columns } = await keyStatus(tools.session, tools.ring, tools.columns)
  if (columns.some((column) => column.older > 0)) return { made: 0, refreshed: await refreshAll(tools, settings) }
  const made = await makeNewVersions(tools)
  const first = await refreshAll(tools, settings)
  // Other processes may have gone on sealing with the keys that they had in memory.
  await pause(keptMs)
  return { made, refreshed: [...first, ...(await refreshAll(tools, settings))] }
}

/** Every value of every sealed column under its owner's newest key, clear ones included. */
export async function refreshAll(
  { session, ring, columns }: KeyTools,
  settings: RefreshSettings,
): Promise<readonly Refreshed[]> {
  // What a crash of the server undoes is done again by the next run; a key is always durable before what it seals.
  await session.run(sql`set synchronous_commit = off`)
  const refreshed: Refreshed[] = []
  for (const column of columns) refreshed.push(await refreshColumn(session, ring, column, settings))
  await session.run(sql`reset synchronous_commit`)
  return refreshed
}

async function makeNewVersions({ session, ring }: KeyTools): Promise<number> {
  const [clock] = await session.many(sql<{ now: Date }>`select now()`)
  let made = 0
  for (;;) {
    const owners = await session.many(sql<{ account: string | null; owner: string; version: number }>`
      select account_id::text as account, coalesce(account_id, user_id)::text as owner, max(version) as version
      from seaworthy.account_keys where purpose = 'seal' and num_nonnulls(account_id, user_id) = 1
      group by account_id, user_id having max(created_at) < ${clock?.now} limit ${OWNERS}`)
    if (owners.length === 0) return made
    for (const kind of ['account', 'user'] as const)
      for (const version of new Set(owners.map((owner) => owner.version))) {
        const group = owners.filter(
          (owner) => owner.version === version && (kind === 'account') === (owner.account !== null),
        )
        if (group.length)
          made += await makeKeys(
            session,
            ring,
            kind,
            group.map(({ owner }) => owner),
            version + 1,
          )
      }
  }
}

/**
 * Takes ring keys away that wrap nothing any more. The database refuses to forget one that is in use, and from then on
 * refuses everything that is wrapped by it; only then is the key itself deleted. Returns their fingerprints.
 */
export async function retireRingKeys({ session, ring, config }: KeyTools): Promise<readonly string[]> {
  await rewrapAll(session, ring)
  const rows = await session.many(sql<{ id: string }>`
    delete from seaworthy.ring_keys r where id <> ${ring.current().id}
      and not exists (select from seaworthy.account_keys where ring_key = r.id) returning id`)
  const retired = rows.map((row) => row.id)
  removeKeys(config, retired)
  return retired
}
