import { type Endpoint, type Login, openClient, type PgSingleClient } from './drivers/pg.ts'

/** In a database that was left for another one. Its comment says for which. */
export const MOVED = 'seaworthy_moved'
/** In a database that another one is brought to, with how far that is. */
export const ARRIVING = 'seaworthy_arriving'

export type Move =
  | { readonly kind: 'none' }
  | { readonly kind: 'moved'; readonly to: string }
  /** `complete`: everything is here, and only the word of whoever moves is missing. */
  | { readonly kind: 'arriving'; readonly phase: string }

/** Whether this database is the one that counts. */
export async function readMove(client: PgSingleClient): Promise<Move> {
  const { rows } = await client.query<{ moved: string | null; arriving: boolean }>(
    `select (select coalesce(obj_description(oid, 'pg_namespace'), 'another server') from pg_namespace where nspname = '${MOVED}') as moved,
      to_regclass('${ARRIVING}.progress') is not null as arriving`,
  )
  const { moved, arriving } = rows[0] ?? { moved: null, arriving: false }
  if (moved) return { kind: 'moved', to: moved }
  if (!arriving) return { kind: 'none' }
  const { rows: progress } = await client.query<{ phase: string }>(`select phase from ${ARRIVING}.progress`)
  return { kind: 'arriving', phase: progress[0]?.phase ?? 'made' }
}

/** Throws for a database that was left, or that is not complete: two that are written to cannot be brought together again. */
export async function refuseMovedDatabase(endpoint: Endpoint, admin: Login): Promise<void> {
  const client = await openClient(endpoint, admin, 'moves')
  try {
    const move = await readMove(client)
    if (move.kind === 'moved')
      throw new Error(
        `This database was left: since then ${move.to} counts, and this one takes no writes.\n    HINT: set DATABASE_URL to that one. To go on with this one and lose what was written there: seaworthy graduate --reopen`,
      )
    if (move.kind === 'none') return
    if (move.phase !== 'complete')
      throw new Error(
        'This database is still being filled from another one, and is not complete.\n    HINT: run the same seaworthy graduate again; until then the other one counts.',
      )
    await client.query(`drop schema if exists ${ARRIVING} cascade`)
  } finally {
    await client.end()
  }
}

/** Nobody who connects from now on can write. Whoever is connected stays as he is. */
export async function refuseWrites(client: PgSingleClient, database: string): Promise<void> {
  await client.query(`alter database ${client.escapeIdentifier(database)} set default_transaction_read_only = on`)
}

/** A start refuses from now on. In a transaction that is open, too. */
export async function markMoved(client: PgSingleClient, to: string): Promise<void> {
  await client.query(`create schema if not exists ${MOVED}; comment on schema ${MOVED} is ${client.escapeLiteral(to)}`)
}

/** The word of an operator: this one counts again. */
export async function reopenDatabase(client: PgSingleClient, database: string): Promise<void> {
  await client.query(
    `begin; set transaction read write; drop schema if exists ${MOVED};
     alter database ${client.escapeIdentifier(database)} reset default_transaction_read_only; commit`,
  )
}
