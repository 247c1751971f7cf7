import { type Caller, present } from '@seaworthy/core'
import { recordAudit } from '../../audit/index.ts'
import type { Transaction } from '../../data/index.ts'
import type { Route } from '../../definition/index.ts'
import { maskAddress } from '../../telemetry/index.ts'
import type { Answer, Around, Exchange } from '../exchange.ts'
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
      exchange.parts.log.error('a change could not be audited', { error, request: exchange.requestId }),
    )
  return answer
}

/** For handlers that open their own transaction: the audit line in it. */
export async function auditIn(
  exchange: Exchange,
  tx: Transaction,
  caller: Caller,
  answer: Pick<Answer, 'status' | 'resource'>,
): Promise<void> {
  await recordAudit(tx, caller, entryOf(exchange, answer))
  exchange.audited = true
}

const inTransaction: Around = (exchange, next) => {
  const { route } = exchange.served
  const caller = present(exchange.caller, 'the caller of a route with a transaction')
  return exchange.parts.database.withCaller(
    caller,
    async (tx) => {
      exchange.tx = tx
      const answer = route.idempotency ? await answerOnce(exchange, tx, next) : await next()
      if (route.audit) await recordAudit(tx, caller, entryOf(exchange, answer))
      return answer
    },
    { trace: exchange.trace.header, readOnly: route.transaction === 'read', remainingMs: exchange.remainingMs },
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

function entryOf(exchange: Exchange, answer: Pick<Answer, 'status' | 'resource'>, errorCode?: string) {
  const { route, template } = exchange.served
  return {
    action: present(route.audit, 'the audit action'),
    outcome: errorCode ? ('refused' as const) : ('done' as const),
    resource: answer.resource,
    method: route.method,
    route: template,
    status: answer.status,
    errorCode,
    durationMs: performance.now() - exchange.startedMs,
    network: maskAddress(exchange.address),
    requestId: exchange.requestId,
  }
}

async function auditRefusal(exchange: Exchange, error: unknown): Promise<void> {
  const { code = 'internal', status = 500 } = error as { code?: string; status?: number }
  const write = exchange.caller
    ? exchange.parts.database.withCaller(exchange.caller, (tx) =>
        recordAudit(tx, exchange.caller, entryOf(exchange, { status }, String(code))),
      )
    : exchange.parts.database.withDuty('identity', (tx) =>
        recordAudit(tx, undefined, entryOf(exchange, { status }, String(code))),
      )
  await write.catch((failure: unknown) =>
    exchange.parts.log.error('a refusal could not be audited', { error: failure, request: exchange.requestId }),
  )
}
