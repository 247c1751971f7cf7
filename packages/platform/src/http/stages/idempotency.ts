import { createHash } from 'node:crypto'
import { AppError, fault, present } from '@seaworthy/core'
import { sql, type Transaction } from '../../data/index.ts'
import type { Answer, Exchange } from '../exchange.ts'

/** The answer that was given is given again; other content under the same key is a mistake of the caller. */
interface StoredAnswer {
  readonly route: string
  readonly requestHash: Buffer
  readonly status: number
  readonly reply: {
    readonly body?: unknown
    readonly refusal?: { readonly code: string; readonly title: string; readonly detail?: string }
  }
}

const KEY_MAX = 255
/** Refusals that depend on the moment: the same request may well succeed later, under the same key. */
const passing = new Set([401, 403, 408, 429, 503])

function readKey(exchange: Exchange): string {
  const key = exchange.incoming.headers['idempotency-key']
  if (typeof key === 'string' && key.length > 0 && key.length <= KEY_MAX && /^[\x21-\x7e]+$/.test(key)) return key
  throw fault('invalid_input', {
    detail:
      'Send an Idempotency-Key header: any text of 1 to 255 visible characters, new for each thing you want done.',
  })
}

/** Takes the key, works, and keeps the answer, in one transaction. A second request with the key waits for the first. */
export async function answerOnce(exchange: Exchange, tx: Transaction, next: () => Promise<Answer>): Promise<Answer> {
  const key = readKey(exchange)
  const hash = hashRequest(exchange)
  const { template } = exchange.served
  const taken = await tx.run(sql`
    insert into seaworthy.idempotency (account_id, key, route, request_hash) values (seaworthy.account_id(), ${key}, ${template}, ${hash}) on conflict do nothing`)
  if (taken === 0) return replay(await readStored(tx, key), template, hash)
  const answer = await next()
  await tx.run(
    sql`update seaworthy.idempotency set status = ${answer.status}, reply = ${JSON.stringify({ body: answer.body })} where key = ${key}`,
  )
  return answer
}

export async function keepRefusal(exchange: Exchange, error: unknown): Promise<void> {
  const refusal = error instanceof AppError ? error : fault('internal')
  if (passing.has(refusal.status) || refusal.code.startsWith('idempotency_')) return
  const key = exchange.incoming.headers['idempotency-key']
  if (typeof key !== 'string' || key.length > KEY_MAX) return
  const reply = { refusal: { code: refusal.code, title: refusal.title, detail: refusal.detail } }
  await exchange.parts.database
    .withCaller(present(exchange.caller, 'the caller'), (tx) =>
      tx.run(sql`
    insert into seaworthy.idempotency (account_id, key, route, request_hash, status, reply)
    values (seaworthy.account_id(), ${key}, ${exchange.served.template}, ${hashRequest(exchange)}, ${refusal.status}, ${JSON.stringify(reply)}) on conflict do nothing`),
    )
    .catch((failure: unknown) =>
      exchange.parts.log.warn('a refusal could not be kept for its idempotency key', {
        error: failure,
        request: exchange.requestId,
      }),
    )
}

async function readStored(tx: Transaction, key: string): Promise<StoredAnswer> {
  return tx.one<StoredAnswer>(
    sql`select route, request_hash as "requestHash", status, reply from seaworthy.idempotency where key = ${key}`,
  )
}

function replay(stored: StoredAnswer, route: string, hash: Buffer): Answer {
  if (stored.route !== route || !stored.requestHash.equals(hash)) throw fault('idempotency_mismatch')
  if (stored.status === null) throw fault('idempotency_in_progress', { retryAfterSeconds: 1 })
  const { refusal } = stored.reply
  if (refusal)
    throw new AppError(
      refusal.code,
      { status: stored.status, title: refusal.title },
      refusal.detail === undefined ? {} : { detail: refusal.detail },
    )
  return { status: stored.status, body: stored.reply.body, headers: { 'idempotency-replayed': 'true' } }
}

function hashRequest(exchange: Exchange): Buffer {
  return createHash('sha256').update(`${exchange.incoming.url}\n`).update(exchange.bodyBytes).digest()
}
