import { type Caller, newId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

export interface AuditEntry {
  /** What was done, as the route declares it: `photo_upload`. */
  readonly action: string
  readonly outcome: 'done' | 'refused'
  readonly resource?: string | undefined
  readonly method: string
  readonly route: string
  readonly status: number
  readonly errorCode?: string | undefined
  readonly durationMs: number
  /** Masked. */
  readonly network: string
  readonly requestId: string
}

/** Writes the line in the transaction of the change. Without a caller the line belongs to no account. */
export async function recordAudit(tx: Transaction, caller: Caller | undefined, entry: AuditEntry): Promise<void> {
  await tx.run(sql`
    insert into seaworthy.audit (id, account_id, user_id, action, outcome, resource, method, route, status, error_code, duration_ms, network, request_id)
    values (${newId()}, ${caller?.accountId ?? null}, ${caller?.userId ?? null}, ${entry.action}, ${entry.outcome}, ${entry.resource ?? null}, ${entry.method}, ${entry.route},
      ${entry.status}, ${entry.errorCode ?? null}, ${Math.max(0, Math.round(entry.durationMs))}, ${entry.network}, ${entry.requestId})`)
}
