import { ARRIVING } from '../data/index.ts'
import { type Change, type Relation, type Row, showPlace } from './changes.ts'
import type { Session } from './session.ts'

/** Statements that do to one database what was done to the other. */
export interface Applier {
  /**
   * Everything of these changes that came before `end`, in one transaction, together with how far it is then: killed in between,
   * nothing is done twice and nothing is left out. Gives the new place, and whether `end` was reached.
   */
  apply(changes: readonly Change[], end?: bigint): Promise<{ place: bigint; isAtEnd: boolean }>
  /** Paths of tables that were changed since this was asked last. */
  takeTouched(): ReadonlySet<string>
}

interface Statement {
  readonly text: string
  readonly values: readonly (string | null)[]
  /** A row that must be there. */
  readonly needsRow: boolean
}

/** @param begin What came before is there already. */
export function createApplier(session: Session, begin: bigint): Applier {
  const relations = new Map<number, Relation>()
  let touched = new Set<string>()
  let place = begin
  let numbered: ReadonlySet<string> | undefined
  const relationOf = (id: number): Relation => {
    const relation = relations.get(id)
    if (!relation) throw new Error(`the database tells of a table that it has not named: ${id}`)
    touched.add(`${relation.schema}.${relation.name}`)
    return relation
  }
  const statementsOf = ({ changes }: Transaction): Statement[] =>
    changes.map((change) => statementOf(session, change, { relationOf, numbered: numbered ?? new Set() }))
  return {
    apply: async (changes, end) => {
      numbered ??= await readNumbered(session)
      const all = transactionsOf(changes, (relation) => relations.set(relation.id, relation))
      const wanted = all.filter(({ commit }) => end === undefined || commit < end)
      const unknown = wanted.filter(({ commit }) => commit >= place)
      const next = unknown.at(-1)?.end ?? place
      if (next > place) await runAll(session, unknown.flatMap(statementsOf), next)
      place = next
      return { place, isAtEnd: wanted.length < all.length }
    },
    takeTouched: () => {
      const taken = touched
      touched = new Set()
      return taken
    },
  }
}

/** Columns that the server numbers itself, which nobody may set afterwards: `schema.table.column`. */
async function readNumbered(session: Session): Promise<ReadonlySet<string>> {
  const { rows } = await session.query<{ path: string }>(`
    select n.nspname || '.' || c.relname || '.' || a.attname as path
    from pg_attribute a join pg_class c on c.oid = a.attrelid join pg_namespace n on n.oid = c.relnamespace where a.attidentity = 'a'`)
  return new Set(rows.map(({ path }) => path))
}

interface Transaction {
  readonly commit: bigint
  readonly end: bigint
  readonly changes: readonly RowChange[]
}

/** What is told of a table comes before its first row, and holds from then on. */
function transactionsOf(changes: readonly Change[], onRelation: (relation: Relation) => void): readonly Transaction[] {
  const transactions: Transaction[] = []
  let [commit, rows] = [0n, [] as RowChange[]]
  for (const change of changes) {
    if (change.kind === 'relation') onRelation(change.relation)
    else if (change.kind === 'begin') [commit, rows] = [change.commit, []]
    else if (change.kind === 'commit') transactions.push({ commit, end: change.end, changes: rows })
    else rows.push(change)
  }
  return transactions
}

async function runAll(session: Session, statements: readonly Statement[], place: bigint): Promise<void> {
  const running = [
    session.query('begin'),
    ...statements.map(async ({ text, values, needsRow }) => {
      const { rowCount } = await session.query(text, [...values])
      if (needsRow && rowCount !== 1)
        throw new Error(`a change found ${rowCount} rows and not one: ${text.slice(0, 80)}`)
    }),
    session.query(`update ${ARRIVING}.progress set place = $1`, [showPlace(place)]),
  ]
  const results = await Promise.allSettled(running)
  const failed = results.find((result) => result.status === 'rejected')
  if (failed) {
    await session.query('rollback')
    throw failed.reason
  }
  await session.query('commit')
}

const nameOf = (session: Session, { schema, name }: Relation): string =>
  `${session.escapeIdentifier(schema)}.${session.escapeIdentifier(name)}`

type RowChange = Exclude<Change, { kind: 'begin' | 'commit' | 'relation' }>

interface Known {
  readonly relationOf: (id: number) => Relation
  readonly numbered: ReadonlySet<string>
}

function statementOf(session: Session, change: RowChange, { relationOf, numbered }: Known): Statement {
  if (change.kind === 'truncate') {
    const names = change.relations.map((id) => nameOf(session, relationOf(id)))
    return { text: `truncate ${names.join(', ')}${change.cascades ? ' cascade' : ''}`, values: [], needsRow: false }
  }
  const relation = relationOf(change.relation)
  const name = nameOf(session, relation)
  const columns = relation.columns.map((column) => ({ ...column, quoted: session.escapeIdentifier(column.name) }))
  const values: (string | null)[] = []
  const parameter = (value: string | null): string => `$${values.push(value)}`
  const told = (row: Row) =>
    columns.flatMap((column, i) => (row[i] === undefined ? [] : [{ ...column, value: row[i] }]))
  const where = (key: Row): string => {
    const same = told(key)
      .filter(({ isKey }) => isKey)
      .map(({ quoted, value }) => (value === null ? `${quoted} is null` : `${quoted} = ${parameter(value)}`))
      .join(' and ')
    return relation.isWhole ? `ctid = (select ctid from ${name} where ${same} limit 1)` : same
  }
  if (change.kind === 'delete')
    return { text: `delete from ${name} where ${where(change.key)}`, values, needsRow: relation.isWhole }
  if (change.kind === 'insert') {
    const list = told(change.row)
    const text = `insert into ${name} (${list.map(({ quoted }) => quoted).join(', ')}) overriding system value values (${list.map(({ value }) => parameter(value)).join(', ')})`
    return { text, values, needsRow: true }
  }
  // A key that stays is not set, nor what the server numbers: some may not be.
  const path = `${relation.schema}.${relation.name}`
  const changed = told(change.row).filter(
    (column) => (change.key !== undefined || !column.isKey) && !numbered.has(`${path}.${column.name}`),
  )
  if (changed.length === 0) return { text: `select 1 from ${name} where ${where(change.row)}`, values, needsRow: true }
  const set = changed.map(({ quoted, value }) => `${quoted} = ${parameter(value)}`).join(', ')
  return { text: `update ${name} set ${set} where ${where(change.key ?? change.row)}`, values, needsRow: true }
}
