import type { DatabaseClient } from './database.ts'

/** A table with rows of accounts, and one of its columns that the app may change. */
export interface TenantTable {
  readonly name: string
  readonly changeable: string
  /** The columns that the app may give when it inserts; all of them where it may give none. */
  readonly insertable: string
}

/** The catalogue of the server says which, not we. */
export async function tenantTables(admin: DatabaseClient): Promise<readonly TenantTable[]> {
  const { rows } = await admin.query<TenantTable>(`
    select c.oid::regclass::text as name, coalesce((
        select x.attname from pg_attribute x where x.attrelid = c.oid and x.attnum > 0 and not x.attisdropped
          and has_column_privilege('seaworthy_app', c.oid, x.attnum, 'update') order by x.attnum limit 1), 'account_id') as changeable, (
        select string_agg(quote_ident(x.attname), ', ' order by x.attnum) from pg_attribute x
        where x.attrelid = c.oid and x.attnum > 0 and not x.attisdropped and x.attgenerated = '' and (
          has_column_privilege('seaworthy_app', c.oid, x.attnum, 'insert')
          or not has_any_column_privilege('seaworthy_app', c.oid, 'insert'))) as insertable
    from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid and a.attname = 'account_id'
    where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'graphile_worker')
    order by 1`)
  return rows
}

const predicates = [
  (_: string, owner: string) => `t.account_id = '${owner}'`,
  (_: string, owner: string) => `t.account_id::text like '${owner.slice(0, 30)}%'`,
  () => 't.account_id <> seaworthy.account_id()',
  (_: string, owner: string) => `to_jsonb(t)::text like '%${owner}%'`,
  () => 'seaworthy.account_id() is distinct from t.account_id or true',
  (name: string, owner: string) => `exists (select from ${name} o where o.ctid = t.ctid and o.account_id = '${owner}')`,
]

/** Ways to read rows, each with every predicate. */
const reads: readonly ((name: string, where: string) => string)[] = [
  (name, where) => `select t.account_id from ${name} t where ${where}`,
  (name, where) =>
    `with t as materialized (select s.*, s.ctid from ${name} s) select t.account_id from t where ${where}`,
  (name, where) =>
    `select t.account_id from (values (1)) v cross join lateral (select s.*, s.ctid from ${name} s) t where ${where}`,
  (name, where) =>
    `select t.account_id from ${name} t left join ${name} m on m.account_id = seaworthy.account_id() and false where ${where}`,
]
/** Ways to read a table as it is. */
const others: readonly ((name: string, owner: string) => string)[] = [
  (name) => `select t.account_id from ${name} t tablesample system (100)`,
  (name) => `select t.account_id from ${name} t for update`,
  (name) => `select t.account_id from ${name} t where pg_temp.spy(t.account_id)`,
  (name, owner) =>
    `select t.account_id from ${name} t where 1 / (case when t.account_id = '${owner}' then 0 else 1 end) = 1`,
  (name) => `select unnest(array_agg(t.account_id)) as account_id from ${name} t`,
]

export const readsOf = (name: string, owner: string): readonly string[] => [
  ...reads.flatMap((read) => predicates.map((predicate) => read(name, predicate(name, owner)))),
  ...others.map((other) => other(name, owner)),
]

/** Ways to change and remove rows; those without a condition are kept by no policy for reading. */
export const changesOf = ({ name, changeable }: TenantTable, owner: string): readonly string[] => [
  `update ${name} set ${changeable} = (select t.${changeable} from ${name} t limit 1)`,
  `update ${name} t set ${changeable} = t.${changeable} where t.account_id = '${owner}'`,
  `update ${name} set account_id = '${owner}'`,
  `delete from ${name}`,
  `delete from ${name} t where t.account_id = '${owner}'`,
  `merge into ${name} t using (select 1) s on t.account_id = '${owner}' when matched then delete`,
  `truncate ${name}`,
]

/** Forges rows of somebody else out of one's own. */
export const forgeryOf = ({ name, insertable }: TenantTable, owner: string): string =>
  `insert into ${name} (${insertable}) select ${insertable} from (select (jsonb_populate_record(null::${name}, to_jsonb(t) || '{"account_id":"${owner}"}')).* from ${name} t) forged`

const SPY = `create or replace function pg_temp.spy(account uuid) returns boolean language plpgsql cost 0.0001 as $$
  begin raise notice '%', account; return true; end $$`

/** What one statement reached of somebody else's rows. */
interface Reached {
  readonly rows: number
  /** Told to a function of the attacker's before the policy was asked. */
  readonly told: number
}

export interface Attacker {
  /** `own` is how many rows a statement may reach without harm. */
  attack(statement: string, own: number): Promise<Reached>
}

/** As the app's role, for one account, with functions of its own. Everything is undone. */
export async function openAttacker(client: DatabaseClient, accountId: string): Promise<Attacker> {
  await client.query(SPY)
  let told = 0
  client.on('notice', ({ message }) => {
    if (message !== accountId) told++
  })
  return {
    attack: async (statement, own) => {
      told = 0
      await client.query(`begin; set local app.account_id = '${accountId}'`)
      try {
        const { rows, rowCount } = await client.query<{ account_id?: string }>(statement)
        const read = rows.filter((row) => row.account_id !== accountId).length
        return {
          rows:
            statement.startsWith('select') || statement.startsWith('with') ? read : Math.max(0, (rowCount ?? 0) - own),
          told,
        }
      } catch (error) {
        return { rows: isReached(error) ? 1 : 0, told }
      } finally {
        await client.query('rollback')
      }
    },
  }
}

/** The statement came as far as the row itself: its constraint, or our division by zero, refused, and no policy did. */
const isReached = (error: unknown): boolean => /^(23|22012)/.test((error as { code?: string }).code ?? '')
