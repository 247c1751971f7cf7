import type { PgSingleClient } from './drivers/pg.ts'

/** An index by its own name and its table's, as the statement writes them. */
export interface BuiltIndex {
  readonly name: string
  readonly table: string
}

const NAME = '(?:"(?:[^"]|"")+"|[\\w$]+)'
const form = new RegExp(
  `^create (?:unique )?index concurrently (?:if not exists )?(?!on\\b)(?<name>${NAME}) on (?:only )?(?<table>${NAME}(?:\\.${NAME})?)`,
  'i',
)

/** Which index the statement builds concurrently. Undefined when it does something else; throws when it has no name. */
export function indexBuiltBy(statement: string): BuiltIndex | undefined {
  if (!/^create (?:unique )?index concurrently/i.test(statement)) return undefined
  const { name, table } = form.exec(statement)?.groups ?? {}
  if (!name || !table)
    throw new Error('an index that is built concurrently needs a name, or its leftovers could not be found')
  return { name, table }
}

/** Of an interrupted build an index stays that every write keeps up to date and no query may use. */
export async function dropInvalidIndex(client: PgSingleClient, index: BuiltIndex): Promise<void> {
  const found = await findIndex(client, index)
  if (found && !found.valid) await client.query(`drop index concurrently ${found.name}`)
}

export async function isIndexValid(client: PgSingleClient, index: BuiltIndex): Promise<boolean> {
  return (await findIndex(client, index))?.valid ?? false
}

async function findIndex(client: PgSingleClient, { name, table }: BuiltIndex) {
  const { rows } = await client.query<{ name: string; valid: boolean }>(
    `select format('%I.%I', n.nspname, c.relname) as name, i.indisvalid as valid
     from pg_index i join pg_class c on c.oid = i.indexrelid join pg_namespace n on n.oid = c.relnamespace
     where i.indrelid = to_regclass($1) and c.relname = (parse_ident($2))[1]`,
    [table, name],
  )
  return rows[0]
}
