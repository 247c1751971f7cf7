import { type Query, sql, sqlName, type Transaction } from '../data/index.ts'
import { type AuditLine, lineColumns } from './line.ts'
import type { AuditKind } from './record.ts'

/** Which lines. What is left out does not matter. */
export interface AuditFilter {
  readonly kind?: AuditKind | undefined
  readonly action?: string | undefined
  /** Actions to leave out. */
  readonly except?: readonly string[] | undefined
  readonly outcome?: 'done' | 'refused' | undefined
  readonly userId?: string | undefined
  readonly accountId?: string | undefined
  /** From this moment on. */
  readonly from?: Date | undefined
  /** Before this moment. */
  readonly to?: Date | undefined
}

export interface ActionStatistics {
  readonly action: string
  readonly done: number
  readonly refused: number
  /** Milliseconds. */
  readonly medianMs: number
  readonly slowestMs: number
  readonly lastAt: Date
}

/** Newest first, after the line `before`. Which lines can be seen at all is the transaction's: an account's, or a duty's. */
export function readLines(
  tx: Transaction,
  filter: AuditFilter,
  limit: number,
  before?: string | undefined,
): Promise<AuditLine[]> {
  return tx.many<AuditLine>(sql`
    select ${lineColumns} from seaworthy.audit a
    where ${matching(filter)} and ${before === undefined ? sql`true` : sql`a.id < ${before}::uuid`}
    order by a.id desc limit ${limit}`)
}

const DAYS = 7
const ACTIONS_MAX = 500

/** Per action over seven days, the most frequent first. */
export function readStatistics(
  tx: Transaction,
  filter: Pick<AuditFilter, 'userId' | 'accountId'>,
): Promise<ActionStatistics[]> {
  return tx.many<ActionStatistics>(sql`
    select a.action, count(*) filter (where a.outcome = 'done') as done, count(*) filter (where a.outcome = 'refused') as refused,
      percentile_cont(0.5) within group (order by a.duration_ms) as "medianMs", max(a.duration_ms) as "slowestMs", max(a.created_at) as "lastAt"
    from seaworthy.audit a
    where ${matching({ ...filter, from: new Date(Date.now() - DAYS * 86_400_000) })}
    group by a.action order by count(*) desc, a.action limit ${ACTIONS_MAX}`)
}

/** Ids are in the order of time, so times choose a piece of the index; the minute is for clocks that differ. */
const SLACK_MS = 60_000
const firstIdAt = (ms: number): string => {
  const hex = Math.max(0, ms).toString(16).padStart(12, '0')
  return `${hex.slice(0, 8)}-${hex.slice(8)}-0000-0000-000000000000`
}
const TRANSACTION_MAX_MS = 3_600_000

function matching({ kind, action, except, outcome, userId, accountId, from, to }: AuditFilter): Query<unknown> {
  const equal = (column: string, value: string | undefined): Query<unknown> =>
    value === undefined ? sql`true` : sql`a.${sqlName(column)} = ${value}`
  const since = from
    ? sql`a.created_at >= ${from} and a.id >= ${firstIdAt(from.getTime() - SLACK_MS)}::uuid`
    : sql`true`
  const until = to
    ? sql`a.created_at < ${to} and a.id < ${firstIdAt(to.getTime() + TRANSACTION_MAX_MS + SLACK_MS)}::uuid`
    : sql`true`
  const others = except?.length ? sql`a.action <> all (${except}::text[])` : sql`true`
  return sql`${equal('kind', kind)} and ${equal('action', action)} and ${others} and ${equal('outcome', outcome)}
    and ${equal('user_id', userId)} and ${equal('account_id', accountId)} and ${since} and ${until}`
}
