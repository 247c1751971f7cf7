import { type AccountId, type Caller, newId, type UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import { redact, redactText } from '../telemetry/index.ts'

/** Where something came from. */
export interface EventOrigin {
  /** Masked. */
  readonly network: string
  readonly userAgent?: string | undefined
  readonly requestId: string
  readonly method?: string | undefined
  /** The template: `/api/cosnap/photos/{id}`. */
  readonly route?: string | undefined
  /** As it was asked for, without what may be secret: no query, and of the parameters only ids. */
  readonly path?: string | undefined
}

/** What belongs to a line and is small: redacted by type, name and pattern before it is written. */
export type AuditDetails = Readonly<Record<string, unknown>>

export interface AuditEntry {
  readonly kind: AuditKind
  /** What was done, as the route declares it: `photo_upload`. */
  readonly action: string
  readonly outcome: 'done' | 'refused'
  readonly resource?: string | undefined
  readonly status: number
  readonly errorCode?: string | undefined
  /** Internal words, for operators. */
  readonly errorText?: string | undefined
  readonly details?: AuditDetails | undefined
  readonly durationMs: number
  readonly origin: EventOrigin
}

/** A change that somebody made, or something that matters to security: a sign-in, the use of a key, a change of role. */
export type AuditKind = 'change' | 'security'

/** Something that matters to security and is no route's own line. */
export interface SecurityEvent {
  /** Lower case: `sign_in_failed`, `session_reuse`, `role_change`. */
  readonly action: string
  readonly outcome: 'done' | 'refused'
  /** Whose chain it belongs to. Left out, it belongs to no account. */
  readonly accountId?: AccountId | undefined
  readonly userId?: UserId | undefined
  /** What it was done to: an id. */
  readonly resource?: string | undefined
  readonly details?: AuditDetails | undefined
  readonly errorCode?: string | undefined
  /** Left out: the system itself. */
  readonly origin?: EventOrigin | undefined
}

type Owner = Partial<Pick<Caller, 'accountId' | 'userId'>>

const PATH_MAX = 500
const AGENT_MAX = 300
const ERROR_MAX = 4_000
const DETAILS_MAX = 8_000
const REFUSED = 400

/** The line of a change, in its transaction. Without a caller it belongs to no account. */
export async function recordAudit(tx: Transaction, caller: Owner | undefined, entry: AuditEntry): Promise<void> {
  const { origin } = entry
  await tx.run(sql`
    insert into seaworthy.audit (id, account_id, user_id, kind, action, outcome, resource, method, route, path, status,
      error_code, error_text, details, duration_ms, network, user_agent, request_id)
    values (${newId()}, ${caller?.accountId ?? null}, ${caller?.userId ?? null}, ${entry.kind}, ${entry.action}, ${entry.outcome},
      ${entry.resource ?? null}, ${origin.method ?? 'SYSTEM'}, ${origin.route ?? ''}, ${origin.path?.slice(0, PATH_MAX) ?? null}, ${entry.status},
      ${entry.errorCode ?? null}, ${cut(entry.errorText, ERROR_MAX)}, ${toJson(entry.details)}, ${Math.max(0, Math.round(entry.durationMs))},
      ${origin.network}, ${agent(origin.userAgent)}, ${origin.requestId})`)
}

/** A security event, in the same chain as the changes of its account. In whichever transaction makes it true. */
export function recordEvent(tx: Transaction, event: SecurityEvent): Promise<void> {
  const { accountId, userId, origin, ...said } = event
  return recordAudit(
    tx,
    { ...(accountId ? { accountId } : {}), ...(userId ? { userId } : {}) },
    {
      kind: 'security',
      status: event.outcome === 'done' ? 200 : REFUSED,
      durationMs: 0,
      origin: origin ?? { network: 'system', requestId: 'system' },
      ...said,
    },
  )
}

const AGENTS_MAX = 1_000
const agents = new Map<string, string | null>()

/** There are few programs and many requests. */
function agent(given: string | undefined): string | null {
  if (given === undefined) return null
  const known = agents.get(given)
  if (known !== undefined) return known
  if (agents.size > AGENTS_MAX) agents.clear()
  const shown = cut(given, AGENT_MAX)
  agents.set(given, shown)
  return shown
}

/** Without secrets, addresses and bytes that a terminal would obey. */
function cut(text: string | undefined, max: number): string | null {
  if (text === undefined) return null
  const clean = redactText(text).replace(/(?!\n)\p{Cc}/gu, ' ')
  return clean.length > max ? `${clean.slice(0, max - 3)}...` : clean
}

function toJson(details: AuditDetails | undefined): string | null {
  if (!details) return null
  const text = JSON.stringify(redact(details)).replaceAll('\\u0000', '')
  return text.length > DETAILS_MAX ? JSON.stringify({ omitted: `${text.length} characters` }) : text
}
