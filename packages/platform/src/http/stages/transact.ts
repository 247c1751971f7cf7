import { type AppError, type Caller, present } from '@seaworthy/core'
import { type AuditEntry, recordAudit } from '../../audit/index.ts'
import type { Transaction } from '../../data/index.ts'
import type { Route } from '../../definition/index.ts'
import type { Answer, Around, Exchange } from '../exchange.ts'
import { toAppError } from '../reply.ts'
import { answerOnce, keepRefusal } from './idempotency.ts'

/** Handler, audit line and stored answer in one transaction of the caller; a refusal is audited in one of its own. */
export function transact(route: Route): Around {
  const inner =
    route.transaction === 'none' ? withoutTransaction : route.idempotency ? once(inTransaction) : inTransaction
  if (!route.audit) return inner
  return async (exchange, next) => {
    try {
      return await inner(exchange, next)
    } catch (error) {
      await auditRefusal(exchange, error)
      throw error
    }
  }
}

/**
 * The handler opens its own transactions and records the audit line in the one that matters (`context.audit`). Where
 * it did not, the line gets a transaction of its own; what was done is then done, so its failure is only reported.
 */
const withoutTransaction: Around = async (exchange, next) => {
  const answer = await next()
  if (!exchange.served.route.audit || exchange.audited) return answer
  await exchange.parts.database
    .withDuty('identity', (tx) => recordAudit(tx, exchange.caller, entryOf(exchange, answer)))
    .catch((error: unknown) =>
      exchange.parts.log.error('a change could not be audited', {
        runbook: 'audit-broken',
        error,
        request: exchange.requestId,
      }),
    )
  return answer
}

/** For handlers that open their own transaction: the audit line in it. */
export async function auditIn(
  exchange: Exchange,
  tx: Transaction,
  caller: Caller,
  answer: Pick<Answer, 'status' | 'resource' | 'details'>,
): Promise<void> {
  await recordAudit(tx, caller, entryOf(exchange, answer))
  exchange.audited = true
}

const inTransaction: Around = (exchange, next) => {
  const { route } = exchange.served
  const caller = present(exchange.caller, 'the caller of a route with a transaction')
  const isRead = route.transaction === 'read'
  return exchange.parts.database.withCaller(
    caller,
    async (tx) => {
      exchange.tx = tx
      const answer = route.idempotency ? await answerOnce(exchange, tx, next) : await next()
      if (route.audit) await recordAudit(tx, caller, entryOf(exchange, answer))
      return answer
    },
    { trace: exchange.trace.header, readOnly: isRead, mayLag: isRead, remainingMs: exchange.remainingMs },
  )
}

/** What the handler refused is the first answer too, and is kept after its transaction was undone. */
const once =
  (inner: Around): Around =>
  async (exchange, next) => {
    try {
      return await inner(exchange, next)
    } catch (error) {
      await keepRefusal(exchange, error)
      throw error
    }
  }

function entryOf(
  exchange: Exchange,
  { status, resource, details }: Pick<Answer, 'status' | 'resource' | 'details'>,
  error?: AppError,
): AuditEntry {
  const { route } = exchange.served
  return {
    kind: route.security ? 'security' : 'change',
    action: present(route.audit, 'the audit action'),
    outcome: error ? 'refused' : 'done',
    resource: resource ?? idIn(exchange),
    status,
    errorCode: error?.code,
    errorText: error && wordsOf(error),
    details,
    durationMs: performance.now() - exchange.startedMs,
    origin: exchange.origin,
  }
}

/** What a path with an id is about. */
function idIn({ params }: Exchange): string | undefined {
  const { id } = (params ?? {}) as { id?: unknown }
  return typeof id === 'string' ? id : undefined
}

const FRAMES = 8

/** Internal words; where it was not meant, also from where they came. */
function wordsOf(error: AppError): string {
  const cause = error.cause instanceof Error ? error.cause : undefined
  // The detail answers the caller and may repeat what was sent; a line does not.
  const own = error.message === error.detail ? error.title : error.message
  if (error.status < 500) return own
  const said = cause && cause.message !== own ? `${own}: ${cause.message}` : own
  const frames = (cause ?? error).stack?.split('\n').filter((line) => /^ {4}at /.test(line)) ?? []
  return [said, ...frames.slice(0, FRAMES)].join('\n')
}

/**
 * The line of a change that was refused, in a transaction of its own. A failure to write it is only reported: the
 * refusal stands.
 */
export async function auditRefusal(exchange: Exchange, thrown: unknown): Promise<void> {
  const error = toAppError(thrown)
  const { caller, parts } = exchange
  const entry = entryOf(exchange, { status: error.status }, error)
  const write = caller
    ? parts.database.withCaller(caller, (tx) => recordAudit(tx, caller, entry))
    : parts.database.withDuty('identity', (tx) => recordAudit(tx, undefined, entry))
  await write.catch((failure: unknown) =>
    exchange.parts.log.error('a refusal could not be audited', {
      runbook: 'audit-broken',
      error: failure,
      request: exchange.requestId,
    }),
  )
}
