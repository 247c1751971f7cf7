import { createHash, hash, randomBytes, timingSafeEqual } from 'node:crypto'
import { crc32 } from 'node:zlib'
import {
  type AccountId,
  type Caller,
  type Clock,
  fault,
  isId,
  newId,
  type Role,
  roleAtLeast,
  SECOND,
  type UserId,
} from '@seaworthy/core'
import { LRUCache } from 'lru-cache'
import { type Database, sql, type Transaction } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import { lockMembers, roleNow } from './membership.ts'
import type { Also } from './parts.ts'

/** Keys that programs call with: shown once, kept as a hash, for one account, with a role and scopes. */
export interface ApiKeys {
  /** Throws `forbidden` for a role above the caller's, `conflict` when the account has too many. */
  create(caller: Caller, wanted: NewApiKey, also?: Also): Promise<{ readonly id: string; readonly key: string }>
  /** Those of the caller's account, the newest first. */
  list(caller: Caller): Promise<readonly ApiKeyListed[]>
  /** Effective in every process within a second. Throws `not_found`. */
  revoke(caller: Caller, id: string, also?: Also): Promise<void>
  /** Throws `unauthenticated`. Synchronous for a key that was seen within the last minute. */
  identify(key: string): Caller | Promise<Caller>
  stop(): void
}

interface NewApiKey {
  readonly name: string
  readonly role: Exclude<Role, 'owner'>
  readonly scopes: readonly string[]
  readonly expiresAt?: Date | undefined
}

export interface ApiKeyListed {
  readonly id: string
  readonly name: string
  /** How it begins, to tell it from others. */
  readonly hint: string
  readonly role: Role
  readonly scopes: readonly string[]
  readonly createdAt: Date
  readonly expiresAt: Date | null
  /** To the half minute. */
  readonly usedAt: Date | null
}

interface ApiKeySettings {
  readonly database: Database
  readonly clock: Clock
  readonly log: Logger
  readonly onKeyChanged: (listener: (keyId: string) => void) => void
}

interface Found {
  readonly caller: Caller
  readonly expiresMs: number
  readonly readMs: number
}

const KEYS_PER_ACCOUNT_MAX = 50
const CACHE_MAX = 5_000
/** A change is heard of within a second; should that fail, the database is asked again after a minute. */
const CACHE_MS = 60 * SECOND
const USED_EVERY_MS = 30 * SECOND

export function openApiKeys({ database, clock, log, onKeyChanged }: ApiKeySettings): ApiKeys {
  const cache = new LRUCache<string, Found>({ max: CACHE_MAX })
  const used = new Map<string, Date>()
  /** That were heard of. What was read while one came in may be from before it, and is not kept. */
  let changes = 0
  onKeyChanged((id) => {
    changes++
    for (const [text, found] of cache.entries()) if (found.caller.sessionId === id) cache.delete(text)
  })
  const writeUsed = async (): Promise<void> => {
    const seen = [...used]
    used.clear()
    if (seen.length) await database.withDuty('identity', (tx) => recordUse(tx, seen))
  }
  const timer = setInterval(
    () => void writeUsed().catch((error: unknown) => log.warn('the use of API keys was not recorded', { error })),
    USED_EVERY_MS,
  )
  timer.unref()
  const accept = ({ caller, expiresMs }: Found): Caller => {
    if (expiresMs <= clock.now()) throw fault('unauthenticated', { detail: 'This API key has expired.' })
    used.set(caller.sessionId, new Date(clock.now()))
    return caller
  }
  const look = async (key: string, id: string): Promise<Caller> => {
    const before = changes
    const found = await readKey(database, key, clock)
    if (changes === before) cache.set(id, found)
    return accept(found)
  }
  return {
    identify: (key) => {
      const id = hash('sha256', key, 'base64')
      const found = cache.get(id)
      return found && clock.now() - found.readMs < CACHE_MS ? accept(found) : look(key, id)
    },
    create: (caller, wanted, also) => database.withDuty('identity', (tx) => makeKey(tx, caller, wanted, also)),
    list: (caller) => database.withDuty('identity', (tx) => listKeys(tx, caller.accountId), { readOnly: true }),
    revoke: (caller, id, also) =>
      database.withDuty('identity', async (tx) => {
        const revoked = await tx.run(sql`
          update seaworthy.api_keys set revoked_at = clock_timestamp(), changed_at = clock_timestamp()
          where id = ${id} and account_id = ${caller.accountId} and revoked_at is null`)
        if (revoked === 0) throw fault('not_found')
        await also?.(tx, caller)
      }),
    stop: () => clearInterval(timer),
  }
}

async function makeKey(tx: Transaction, caller: Caller, wanted: NewApiKey, also?: Also) {
  if (!roleAtLeast(caller.role, wanted.role)) throw fault('forbidden', { detail: 'A key cannot do more than you can.' })
  // The account's row is the queue in which makers of keys, and whoever removes members, wait.
  await lockMembers(tx, caller.accountId)
  if (!roleAtLeast(await roleNow(tx, caller), wanted.role)) throw fault('forbidden')
  const { count } = await tx.one<{ count: number }>(
    sql`select count(*)::int as count from seaworthy.api_keys where account_id = ${caller.accountId} and revoked_at is null`,
  )
  if (count >= KEYS_PER_ACCOUNT_MAX)
    throw fault('conflict', {
      detail: `An account may have ${KEYS_PER_ACCOUNT_MAX} keys. Revoke one that is not used.`,
    })
  const id = newId()
  const key = writeApiKey(id, randomBytes(RANDOM_BYTES))
  await tx.run(sql`
    insert into seaworthy.api_keys (id, account_id, user_id, name, hash, hint, role, scopes, expires_at)
    values (${id}, ${caller.accountId}, ${caller.userId}, ${wanted.name}, ${hashKey(key)}, ${hintOf(key)}, ${wanted.role}, ${wanted.scopes}, ${wanted.expiresAt ?? null})`)
  await also?.(tx, caller)
  return { id, key }
}

const hashKey = (key: string): Buffer => createHash('sha256').update(key).digest()
const hintOf = (key: string): string => `${key.slice(0, PREFIX.length + 8)}…`

interface KeyRow {
  readonly userId: UserId
  readonly accountId: AccountId
  readonly hash: Buffer
  readonly role: Role
  readonly memberRole: Role
  readonly scopes: readonly string[]
  readonly expiresAt: Date | null
}

/** A key never does more than the person who made it may do now. */
async function readKey(database: Database, key: string, clock: Clock): Promise<Found> {
  const id = readApiKey(key)
  const row = id
    ? await database.withDuty(
        'identity',
        (tx) =>
          tx.maybe<KeyRow>(sql`
            select k.user_id as "userId", k.account_id as "accountId", k.hash, k.role, m.role as "memberRole", k.scopes, k.expires_at as "expiresAt"
            from seaworthy.api_keys k join seaworthy.memberships m on m.account_id = k.account_id and m.user_id = k.user_id
            where k.id = ${id} and k.revoked_at is null`),
        { readOnly: true },
      )
    : undefined
  if (!id || !row || !timingSafeEqual(row.hash, hashKey(key)))
    throw fault('unauthenticated', { detail: 'This API key is not valid.' })
  const caller: Caller = Object.freeze({
    userId: row.userId,
    accountId: row.accountId,
    role: roleAtLeast(row.memberRole, row.role) ? row.role : row.memberRole,
    sessionId: id,
    authenticatedAtMs: 0,
    secondFactor: false,
    scopes: row.scopes,
    operator: false,
  })
  return { caller, expiresMs: row.expiresAt?.getTime() ?? Number.POSITIVE_INFINITY, readMs: clock.now() }
}

const listKeys = (tx: Transaction, accountId: AccountId): Promise<ApiKeyListed[]> =>
  tx.many<ApiKeyListed>(sql`
    select id, name, hint, role, scopes, created_at as "createdAt", expires_at as "expiresAt", last_used_at as "usedAt"
    from seaworthy.api_keys where account_id = ${accountId} and revoked_at is null order by id desc`)

const recordUse = (tx: Transaction, seen: readonly (readonly [string, Date])[]): Promise<number> =>
  tx.run(sql`
    update seaworthy.api_keys k set last_used_at = seen.at
    from unnest(${seen.map(([id]) => id)}::uuid[], ${seen.map(([, at]) => at.toISOString())}::timestamptz[]) as seen (id, at)
    where k.id = seen.id and (k.last_used_at is null or k.last_used_at < seen.at)`)

const PREFIX = 'swk_'
const ID_LENGTH = 32
const RANDOM_BYTES = 32
const RANDOM_LENGTH = 64
const CHECK_LENGTH = 8
const form = /^swk_[0-9a-f]{104}$/

export const isApiKey = (text: string): boolean => text.startsWith(PREFIX)

/** `swk_<id><random><crc32>` in hexadecimal: scanners can tell a key by its form, and we a typing mistake. */
function writeApiKey(id: string, random: Buffer): string {
  const body = `${id.replaceAll('-', '')}${random.toString('hex')}`
  return `${PREFIX}${body}${checkOf(body)}`
}

const checkOf = (body: string): string => crc32(body).toString(16).padStart(CHECK_LENGTH, '0')

/** Its id; undefined when it is no key of ours, without asking the database. */
function readApiKey(key: string): string | undefined {
  if (!form.test(key)) return undefined
  const body = key.slice(PREFIX.length, PREFIX.length + ID_LENGTH + RANDOM_LENGTH)
  if (checkOf(body) !== key.slice(-CHECK_LENGTH)) return undefined
  const id = body.slice(0, ID_LENGTH).replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5')
  return isId(id) ? id : undefined
}
