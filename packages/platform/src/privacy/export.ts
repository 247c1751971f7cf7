import type { Readable } from 'node:stream'
import type { AccountId, UserId } from '@seaworthy/core'
import { type Database, type Query, type Sealed, sql, sqlName, type Table, type Transaction } from '../data/index.ts'
import type { MediaRoom } from '../media/index.ts'
import type { Vault } from '../vault/index.ts'
import { writeZip, type ZipEntry } from './zip.ts'

/** Whose data, and the accounts that are this person's alone. */
export interface Person {
  readonly userId: UserId
  readonly accountIds: readonly AccountId[]
}

export interface ExportParts {
  readonly database: Database
  readonly store: MediaRoom['store']
  /** Opens what the apps have sealed. */
  readonly vault: Pick<Vault, 'openOrClear'>
  /** Of the apps: all rows that the account sees in them. */
  readonly tables: readonly AppTable[]
}

type AppTable = Pick<Table, 'name' | 'columns'>

const PAGE = 1_000

/** Tables of the platform, without what is nobody's to know: hashes of passwords and of tokens. */
export const own: readonly { readonly name: string; readonly query: (person: Person) => Query<Row> }[] = [
  {
    name: 'person',
    query: ({
      userId,
    }) => sql`select jsonb_build_object('id', id, 'email', email, 'operator', operator, 'createdAt', created_at) as row
      from seaworthy.users where id = ${userId}`,
  },
  {
    name: 'accounts',
    query: ({
      userId,
    }) => sql`select jsonb_build_object('id', a.id, 'name', a.name, 'role', m.role, 'since', m.created_at, 'createdAt', a.created_at) as row
      from seaworthy.memberships m join seaworthy.accounts a on a.id = m.account_id where m.user_id = ${userId}`,
  },
  {
    name: 'sign-ins',
    query: ({
      userId,
    }) => sql`select jsonb_build_object('id', id, 'network', network, 'device', device, 'createdAt', created_at,
        'usedAt', rotated_at, 'expiresAt', expires_at, 'endedAt', revoked_at, 'endedWhy', revoked_why) as row
      from seaworthy.sessions where user_id = ${userId} order by created_at`,
  },
  {
    name: 'api-keys',
    query: ({
      userId,
    }) => sql`select jsonb_build_object('id', id, 'name', name, 'hint', hint, 'role', role, 'scopes', scopes, 'createdAt', created_at,
        'expiresAt', expires_at, 'usedAt', last_used_at, 'revokedAt', revoked_at) as row
      from seaworthy.api_keys where user_id = ${userId} order by created_at`,
  },
  {
    name: 'passkeys',
    query: ({
      userId,
    }) => sql`select jsonb_build_object('name', name, 'createdAt', created_at, 'usedAt', last_used_at) as row
      from seaworthy.passkeys where user_id = ${userId} order by created_at`,
  },
  {
    name: 'consents',
    query: ({
      userId,
      accountIds,
    }) => sql`select jsonb_build_object('accountId', account_id, 'byYou', user_id = ${userId}, 'purpose', purpose, 'version', version,
        'text', text, 'given', given, 'how', how, 'requestId', request_id, 'createdAt', created_at) as row
      from seaworthy.consents where user_id = ${userId} or account_id = any (${accountIds}::uuid[]) order by seq`,
  },
]

/** Of the account, read as the account: row-level security is the same as in every request. */
export const exportedTables: readonly string[] = [
  'seaworthy.jobs',
  'seaworthy.ledger',
  'seaworthy.blobs',
  'seaworthy.audit',
  'seaworthy.ai_usage',
]

/** Tables with people in them that are not exported as they are, and why. A test asks for the reason of each new one. */
export const notExported: Readonly<Record<string, string>> = {
  'seaworthy.memberships': 'in accounts',
  'seaworthy.sessions': 'in sign-ins, without the hashes of tokens',
  'seaworthy.events': 'repeats what jobs say, for an hour',
  'seaworthy.idempotency': 'repeats answers, for two days',
  'seaworthy.blob_references': 'says where blobs are used, which the tables of the apps say too',
  'seaworthy.api_keys': 'in api-keys, without the hashes',
  'seaworthy.passkeys': 'in passkeys, without the public keys',
  'seaworthy.consents': 'in consents, with those that the person gave in accounts of several people',
  'seaworthy.totp': 'a secret of the person and the app on their phone',
  'seaworthy.recovery_codes': 'hashes only',
  'seaworthy.challenges': 'hashes only, for minutes',
  'seaworthy.one_time_links': 'hashes only, for hours',
  'seaworthy.account_keys': 'keys of the installation, wrapped',
  'seaworthy.provider_keys': 'secrets that were given to be kept and are never given back',
  'seaworthy.ai_answers':
    'repeats what engines answered, sealed, for thirty days at most; what an app keeps of it is in its own tables',
  'seaworthy.ai_flights': 'who asks an engine right now, for seconds',
  'seaworthy.ai_budgets': 'sums of ai_usage',
  'seaworthy.ai_reservations': 'calls under way, for seconds',
  'seaworthy.invitations': 'addresses of others',
}

interface Row {
  readonly row: unknown
  readonly id?: string
}

/**
 * Everything that is kept of a person, as a ZIP archive made while it is read: a file of JSON lines for each table, and
 * the files themselves.
 */
export function exportPerson(parts: ExportParts, person: Person): AsyncGenerator<Buffer> {
  return writeZip(entriesOf(parts, person))
}

async function* entriesOf(parts: ExportParts, person: Person): AsyncGenerator<ZipEntry> {
  yield { name: 'README.txt', chunks: textOf(person) }
  for (const { name, query } of own) yield { name: `data/${name}.jsonl`, chunks: once(parts.database, query(person)) }
  for (const name of exportedTables) yield { name: `data/${name}.jsonl`, chunks: rowsOf(parts, person, name) }
  for (const table of parts.tables)
    if ('account_id' in table.columns)
      yield { name: `data/${table.name}.jsonl`, chunks: rowsOf(parts, person, table.name, sealedIn(table)) }
  for (const accountId of person.accountIds) yield* filesOf(parts, accountId)
}

async function* textOf({ userId }: Person): AsyncGenerator<string> {
  yield `Everything that this service keeps about you (user ${userId}), as of ${new Date().toISOString()}.\n\n`
  yield 'data/   one file for each kind, one JSON object a line\nfiles/  your files, by the hash that the data names them with\n'
}

async function* once(database: Database, query: Query<Row>): AsyncGenerator<string> {
  const rows = await database.withDuty('identity', (tx) => tx.many(query), { readOnly: true })
  yield toLines(rows)
}

const toLines = (rows: readonly Row[]): string => rows.map(({ row }) => `${JSON.stringify(row)}\n`).join('')

/** A page in each transaction: whoever reads slowly holds none open. */
async function* rowsOf(
  { database, vault }: ExportParts,
  { accountIds }: Person,
  name: string,
  sealed: readonly string[] = [],
): AsyncGenerator<string> {
  for (const accountId of accountIds) {
    const key = await keyOf(database, accountId, name)
    for (let after: string | undefined, size = PAGE; size === PAGE; ) {
      const rows = await inAccount(database, accountId, async (tx) => {
        const page = await tx.many(pageOf(name, key, after))
        for (const row of page) await openSealed(vault, tx, { table: name, accountId, sealed }, row)
        return page
      })
      yield toLines(rows)
      after = rows.at(-1)?.id
      size = rows.length
    }
  }
}

const sealedIn = ({ columns }: AppTable): readonly string[] =>
  Object.entries(columns).flatMap(([name, column]) => (column.sealed ? [name] : []))

/** In place: the row is this export's own. */
async function openSealed(
  vault: ExportParts['vault'],
  tx: Transaction,
  of: { readonly table: string; readonly accountId: AccountId; readonly sealed: readonly string[] },
  { row, id = '' }: Row,
): Promise<void> {
  const fields = row as Record<string, unknown>
  for (const column of of.sealed)
    if (typeof fields[column] === 'string') {
      const place = { table: of.table, column, row: id, accountId: of.accountId }
      fields[column] = await vault.openOrClear(tx, place, fields[column] as Sealed)
    }
}

interface Key {
  readonly column: string
  readonly type: string
}

/** What else the primary key has, besides the account. */
async function keyOf(database: Database, accountId: AccountId, name: string): Promise<Key> {
  const rows = await inAccount(database, accountId, (tx) =>
    tx.many<Key>(sql`
      select a.attname as column, t.typname as type
      from pg_index i join pg_attribute a on a.attrelid = i.indrelid and a.attnum = any (i.indkey) join pg_type t on t.oid = a.atttypid
      where i.indisprimary and i.indrelid = ${name}::regclass and a.attname <> 'account_id'
      order by a.attname = 'id' desc, array_position(i.indkey::smallint[], a.attnum)`),
  )
  const [key] = rows
  if (!key) throw new Error(`${name} has no key besides the account`)
  return key
}

/** Without the internal words of errors. */
function pageOf(name: string, { column, type }: Key, after: string | undefined): Query<Row> {
  const key = sqlName(column)
  const later = after === undefined ? sql`true` : sql`t.${key} > ${after}::${sqlName(type)}`
  return sql`select to_jsonb(t) - 'error_text' as row, t.${key}::text as id from ${sqlName(name)} t
    where account_id = seaworthy.account_id() and ${later} order by t.${key} limit ${PAGE}`
}

const inAccount = <T>(database: Database, accountId: AccountId, work: (tx: Transaction) => Promise<T>): Promise<T> =>
  database.withCaller({ accountId }, work, { readOnly: true })

async function* filesOf({ database, store }: ExportParts, accountId: AccountId): AsyncGenerator<ZipEntry> {
  for (let after = ''; ; ) {
    const rows = await inAccount(database, accountId, (tx) =>
      tx.many<{ hash: string; type: string }>(sql`
        select hash, type from seaworthy.blobs where account_id = seaworthy.account_id() and hash > ${after} order by hash limit ${PAGE}`),
    )
    for (const { hash, type } of rows) {
      const stream = await store.read(`${accountId}/${hash}`)
      if (stream)
        yield { name: `files/${hash}.${type.split('/')[1]?.replace('jpeg', 'jpg') ?? 'bin'}`, chunks: bytesOf(stream) }
    }
    after = rows.at(-1)?.hash ?? after
    if (rows.length < PAGE) return
  }
}

async function* bytesOf(stream: Readable): AsyncGenerator<Uint8Array> {
  for await (const chunk of stream) yield chunk as Uint8Array
}

/** By user id or by e-mail address. Undefined when there is nobody. */
export function findPerson(
  database: Database,
  { userId, email }: { readonly userId?: UserId; readonly email?: string },
): Promise<Person | undefined> {
  return database.withDuty(
    'identity',
    (tx) =>
      tx.maybe<Person>(sql`
        select u.id as "userId", array(select seaworthy.accounts_alone(u.id))::text[] as "accountIds" from seaworthy.users u
        where u.id = ${userId ?? null}::uuid or u.id = seaworthy.user_by_address(${email?.trim() ?? null})`),
    { readOnly: true },
  )
}
