import { atLeast, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import {
  type Attacker,
  changesOf,
  forgeryOf,
  openAttacker,
  readsOf,
  type TenantTable,
  tenantTables,
} from '../../rig/row-attacks.ts'
import { wrongSql } from '../../sabotage.ts'

/** Copies of a row of the owner's, with what must differ. */
const copies: Readonly<Record<string, string>> = {
  'cosnap.photos': `jsonb_build_object('id', gen_random_uuid())`,
  'cosnap.runs': `jsonb_build_object('id', gen_random_uuid())`,
  'seaworthy.ledger': `jsonb_build_object('id', gen_random_uuid(), 'reference', 'copy ' || i)`,
  'seaworthy.audit': `jsonb_build_object('id', gen_random_uuid())`,
  'seaworthy.blobs': `jsonb_build_object('hash', md5(i::text) || md5(i::text))`,
}
const COPIES = 6_500

export const claim = defineClaim({
  id: 'TEN-06',
  says: "A million attempts in SQL, as the app's own role and for one account, reach no row of another account",
  answers: ['I6', 'D3', 'D5', 'ASVS 8.2.2', 'ASVS 8.4.1'],
  witness: 'PostgreSQL itself; an attempt is one statement that would reach one foreign row if nothing forbade it',
  tier: 'full',
  seconds: 20,
  limits: {
    'foreign rows read': exactly(0, 'rows'),
    'foreign rows changed, removed or forged': exactly(0, 'rows'),
    "foreign rows told to the attacker's function": exactly(0, 'rows'),
    attempts: atLeast(1_000_000, 'attempts'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [owner, stranger, bare] = [await stack.newcomer(), await stack.newcomer(), await stack.newcomer()]
    for (const person of [owner, stranger]) await startRun(person, await uploadPhoto(person, await jpegPhoto(64, 48)))
    const admin = await stack.database('admin')
    for (const [table, changes] of Object.entries(copies)) await copy(admin, { table, changes, owner })
    const attackerFor = async (person: Person, role: 'app' | 'admin') =>
      openAttacker(await stack.database(role), person.accountId)
    // Whoever has no photos cannot be refused for the sake of their own.
    const [reader, changer] = [await attackerFor(stranger, 'app'), await attackerFor(bare, 'app')]
    const seen = { read: 0, written: 0, told: 0, attempts: 0 }
    const found: string[] = []
    const note = (statement: string, kind: 'read' | 'written', { rows, told }: { rows: number; told: number }) => {
      seen[kind] += rows
      seen.told += told
      if (rows + told > 0) found.push(`${rows + told}: ${statement}`)
    }
    const tables = await tenantTables(admin)
    for (const table of tables) {
      const [foreign, mine] = [await count(admin, table, owner), await count(admin, table, bare)]
      const [reads, changes] = [readsOf(table.name, owner.accountId), changesOf(table, owner.accountId)]
      for (const statement of reads) note(statement, 'read', await reader.attack(statement, 0))
      for (const statement of changes) note(statement, 'written', await changer.attack(statement, mine))
      const forgery = forgeryOf(table, owner.accountId)
      note(forgery, 'written', await reader.attack(forgery, 0))
      seen.attempts += foreign * (reads.length + changes.length)
    }
    const photos = tables.filter(({ name }) => name === 'cosnap.photos')
    const unbound = await attackerFor(stranger, 'admin')
    const idle = (await Promise.all(photos.map((table) => harmless(unbound, table, owner.accountId)))).flat()
    return {
      measured: {
        'foreign rows read': seen.read,
        'foreign rows changed, removed or forged': seen.written,
        "foreign rows told to the attacker's function": seen.told,
        attempts: seen.attempts,
      },
      met: {
        'every statement reaches these rows where no policy binds it': idle.length === 0,
        'ten tables or more hold rows of accounts': tables.length >= 10,
      },
      evidence: [`${tables.length} tables`, ...found.slice(0, 10), ...idle],
    }
  },
  sabotages: [
    wrongSql('a table has no row-level security', 'alter table cosnap.photos disable row level security'),
    wrongSql(
      'the policy of the ledger is dropped for a careless one',
      'drop policy account on seaworthy.ledger; create policy account on seaworthy.ledger using (account_id is not null)',
    ),
    wrongSql(
      'whoever reads nothing may still delete everything',
      'create policy careless on cosnap.runs for delete to seaworthy_app using (true)',
    ),
    wrongSql('anybody writes into the audit of others', 'alter policy append on seaworthy.audit with check (true)'),
    wrongSql(
      'rows can be given to others',
      'create policy careless on cosnap.photos for insert to seaworthy_app with check (true)',
    ),
  ],
})

interface Copying {
  readonly table: string
  readonly changes: string
  readonly owner: Person
}

async function copy(admin: DatabaseClient, { table, changes, owner }: Copying): Promise<void> {
  await admin.query(
    `insert into ${table} select (jsonb_populate_record(null::${table}, to_jsonb(t) || ${changes})).* from (select * from ${table} x where account_id = $1
       and coalesce(to_jsonb(x)->>'kind', '') not in ('hold', 'capture', 'release') limit 1) t, generate_series(1, ${COPIES}) i`,
    [owner.accountId],
  )
}

async function count(admin: DatabaseClient, { name }: TenantTable, { accountId }: Person): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    `select count(*)::int as count from ${name} where account_id = $1`,
    [accountId],
  )
  return rows[0]?.count ?? 0
}

/** The same statements by a role that no policy binds. Those that do not reach a row prove nothing. */
async function harmless(unbound: Attacker, table: TenantTable, owner: string): Promise<readonly string[]> {
  const statements = [...readsOf(table.name, owner), ...changesOf(table, owner), forgeryOf(table, owner)]
  const idle: string[] = []
  for (const statement of statements.filter((one) => !one.startsWith('truncate')))
    if ((await unbound.attack(statement, 0)).rows === 0) idle.push(statement)
  return idle
}
