import { createHash } from 'node:crypto'
import { createReadStream, createWriteStream } from 'node:fs'
import { mkdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { asOwner, type EmbeddedServer, openClient, type PgSingleClient } from '../data/index.ts'
import { isRingRememberedOrThrow, type KeyRing } from '../vault/index.ts'
import type { Plan } from './restore-plan.ts'
import { keyOfBlob } from './ship.ts'
import type { Store } from './store.ts'

/** What was asked of a restored database, and it answered. */
export interface Checked {
  readonly indexes: number
  readonly ledgerLines: number
  readonly blobs: number
}

interface CheckSettings {
  readonly server: EmbeddedServer
  readonly plan: Plan
  readonly ring: KeyRing
  /** Files are brought here while they are checked; undefined where nobody needs them. */
  readonly blobs: string | undefined
  readonly tell: (step: string, part?: number) => void
}

/** Throws with the first thing that is not as it must be. Changes nothing in the database. */
export async function checkRestored(settings: CheckSettings): Promise<Checked> {
  const { server, plan, ring } = settings
  const { endpoint, admin } = server
  const client = await openClient(endpoint, admin, 'restore')
  try {
    await checkSentinel(client, plan)
    const indexes = await checkIndexes(client)
    const ledgerLines = await checkLedger(client)
    await asOwner(endpoint, admin, 'restore', (session) => isRingRememberedOrThrow(session, ring))
    const isWanted = settings.blobs !== undefined && plan.point.blobs.where === 'store'
    const blobs = isWanted ? await bringBlobs(client, { ...settings, blobs: settings.blobs }) : 0
    return { indexes, ledgerLines, blobs }
  } finally {
    await client.end()
  }
}

async function checkSentinel(client: PgSingleClient, { point }: Plan): Promise<void> {
  const { rowCount } = await client.query('select 1 from seaworthy.recovery_sentinels where id = $1', [point.sentinel])
  if (rowCount !== 1)
    throw new Error(`The sentinel of ${point.id} is not in the restored database: not all of the log was replayed.`)
}

/** Every B-tree against its table. The extension that can is gone again with the transaction. */
async function checkIndexes(client: PgSingleClient): Promise<number> {
  await client.query('begin')
  try {
    await client.query('create extension if not exists amcheck')
    const { rows } = await client.query<{ name: string }>(`
      select c.oid::regclass::text as name from pg_index i join pg_class c on c.oid = i.indexrelid join pg_am a on a.oid = c.relam
      where a.amname = 'btree' and i.indisvalid and c.relpersistence = 'p' and c.relkind = 'i'`)
    for (const { name } of rows)
      await client.query('select bt_index_check($1::regclass, true)', [name]).catch((cause: Error) => {
        throw new Error(`The index ${name} of the restored database is damaged: ${cause.message}`, { cause })
      })
    return rows.length
  } finally {
    await client.query('rollback')
  }
}

/** Each line takes from one book what it gives to another, and settles a hold of its own account. */
async function checkLedger(client: PgSingleClient): Promise<number> {
  const { rows } = await client.query<{ lines: string; wrong: string }>(`
    select count(*) as lines, count(*) filter (where l.hold_id is not null and (h.account_id is distinct from l.account_id or h.amount <> l.amount)) as wrong
    from seaworthy.ledger l left join seaworthy.ledger h on h.id = l.hold_id`)
  const { rows: books } = await client.query<{ negative: string; sum: string }>(`
    select count(*) filter (where balance < 0 and book <> 'gifts') as negative, coalesce(sum(balance), 0) as sum
    from (select account_id, book, sum(change) as balance from (
      select account_id, to_book as book, amount as change from seaworthy.ledger
      union all select account_id, from_book, -amount from seaworthy.ledger) c group by account_id, book) b`)
  const { lines = 0, wrong = 0 } = rows[0] ?? {}
  if (Number(wrong) > 0 || Number(books[0]?.negative) > 0 || Number(books[0]?.sum) !== 0)
    throw new Error('The ledger of the restored database does not add up.')
  return Number(lines)
}

const AT_ONCE = 4

/** What the database of this instant refers to, no more and no less. What is there already is read again too. */
async function bringBlobs(
  client: PgSingleClient,
  { plan, blobs, tell }: CheckSettings & { readonly blobs: string },
): Promise<number> {
  const { rows } = await client.query<{ account_id: string; hash: string; used: boolean }>(
    'select account_id, hash, unused_since is null as used from seaworthy.blobs order by account_id, hash',
  )
  let brought = 0
  for (let at = 0; at < rows.length; at += AT_ONCE) {
    if (at % 1_000 === 0) tell('check the database', at / rows.length)
    const parts = rows.slice(at, at + AT_ONCE).map(async ({ account_id, hash, used }) => {
      const path = join(blobs, account_id, hash.slice(0, 2), hash)
      const isThere = (await hasBlob(path, hash)) || (await bringBlob(plan.store, account_id, hash, path))
      // Its row comes before the file: one that was never finished is nobody's.
      if (!isThere && used)
        throw new Error(
          `A file is missing in ${plan.store.shelf.name}: ${keyOfBlob(account_id, hash)}\n    HINT: restore from another store`,
        )
      brought += Number(isThere)
    })
    await Promise.all(parts)
  }
  return brought
}

async function hasBlob(path: string, hash: string): Promise<boolean> {
  const found = await stat(path).catch(() => undefined)
  return found !== undefined && (await hashOf(path)) === hash
}

async function bringBlob(store: Store, account: string, hash: string, path: string): Promise<boolean> {
  const key = keyOfBlob(account, hash)
  const bytes = await store.stream(key)
  if (!bytes) return false
  await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const draft = `${path}.draft`
  try {
    await pipeline(Readable.from(bytes), createWriteStream(draft, { mode: 0o600 }))
    if ((await hashOf(draft)) !== hash) throw new Error(`${key} in ${store.shelf.name} is not what its name says.`)
    await rename(draft, path)
    return true
  } finally {
    await rm(draft, { force: true })
  }
}

async function hashOf(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const chunk of createReadStream(path)) hash.update(chunk as Buffer)
  return hash.digest('hex')
}
