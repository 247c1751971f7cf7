import { type Query, sql } from '../data/index.ts'
import type { AuditKind } from './record.ts'

/** A line as it is stored. Times and details are texts, to the last digit: a seal is made of them. */
export interface AuditLine {
  readonly id: string
  readonly accountId: string | null
  readonly userId: string | null
  readonly kind: AuditKind
  readonly action: string
  readonly outcome: 'done' | 'refused'
  readonly resource: string | null
  readonly method: string
  readonly route: string
  readonly path: string | null
  readonly status: number
  readonly errorCode: string | null
  readonly errorText: string | null
  /** JSON. */
  readonly details: string | null
  readonly durationMs: number
  readonly network: string
  readonly userAgent: string | null
  readonly requestId: string
  /** UTC, with microseconds. */
  readonly at: string
}

/** What to select of a table or function that is called `a`. */
export const lineColumns: Query<AuditLine> = sql`
  a.id, a.account_id as "accountId", a.user_id as "userId", a.kind, a.action, a.outcome, a.resource, a.method, a.route, a.path,
  a.status, a.error_code as "errorCode", a.error_text as "errorText", a.details::text as details, a.duration_ms as "durationMs",
  a.network, a.user_agent as "userAgent", a.request_id as "requestId",
  to_char(a.created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as at`

/** The chain of an account; of lines without one. */
export const chainOf = (line: Pick<AuditLine, 'accountId'>): string => line.accountId ?? NO_ACCOUNT
const NO_ACCOUNT = '00000000-0000-0000-0000-000000000000'

/** One text for one content: the form that seals are made of never changes, new columns make a second form. */
export const canonicalText = (line: AuditLine): string =>
  JSON.stringify([
    1,
    line.id,
    line.accountId,
    line.userId,
    line.kind,
    line.action,
    line.outcome,
    line.resource,
    line.method,
    line.route,
    line.path,
    line.status,
    line.errorCode,
    line.errorText,
    line.details,
    line.durationMs,
    line.network,
    line.userAgent,
    line.requestId,
    line.at,
  ])
