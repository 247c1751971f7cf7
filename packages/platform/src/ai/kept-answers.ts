import { type AccountId, newId } from '@seaworthy/core'
import { type BlindIndex, type Sealed, sql, type Transaction } from '../data/index.ts'
import type { Vault } from '../vault/index.ts'

/** An answer as it is kept: of whom, how old, and until when it is given. */
export interface KeptAnswer {
  readonly id: string
  readonly engine: string
  readonly model: string
  /** JSON. */
  readonly text: string
  /** What it cost, in millionths of a dollar. */
  readonly money: number
  readonly createdMs: number
  readonly freshUntilMs: number
  readonly expiresMs: number
}

export interface NewAnswer {
  readonly task: string
  readonly engine: string
  readonly model: string
  readonly text: string
  readonly money: number
  readonly ms: number
  readonly freshMs: number
  readonly keptMs: number
}

const TABLE = 'seaworthy.ai_answers'
const placeOf = (accountId: AccountId, row: string) => ({ table: TABLE, column: 'answer', row, accountId })

/** What the table knows a question by. Without the account's key it says nothing about what was asked. */
export const indexOf = (vault: Vault, tx: Transaction, accountId: AccountId, key: string): Promise<BlindIndex> =>
  vault.blindIndex(tx, { table: TABLE, column: 'question', accountId }, key)

interface Row extends Omit<KeptAnswer, 'text'> {
  readonly answer: Sealed
}

/** Undefined when there is none that has not expired. Its instants are by the clock of this process. */
export async function readAnswer(
  vault: Vault,
  tx: Transaction,
  accountId: AccountId,
  question: BlindIndex,
): Promise<KeptAnswer | undefined> {
  const row = await tx.maybe(sql<Row>`
    select id, engine, model, answer, money, ${msOf(sql`created_at`)} as "createdMs",
      ${msOf(sql`fresh_until`)} as "freshUntilMs", ${msOf(sql`expires_at`)} as "expiresMs"
    from seaworthy.ai_answers where account_id = ${accountId} and question = ${question} and expires_at > now()`)
  if (!row) return undefined
  const { answer, ...rest } = row
  const text = await vault.open(tx, placeOf(accountId, row.id), answer)
  const since = (ms: number): number => Date.now() + Number(ms)
  const [createdMs, freshUntilMs, expiresMs] = [row.createdMs, row.freshUntilMs, row.expiresMs].map(since)
  return { ...rest, text, createdMs: createdMs ?? 0, freshUntilMs: freshUntilMs ?? 0, expiresMs: expiresMs ?? 0 }
}

/** From now, so that clocks that differ do not matter. */
const msOf = (column: ReturnType<typeof sql>) => sql`(extract(epoch from ${column} - now()) * 1000)::float8`

/** In place of what was kept for the same question. */
export async function keepAnswer(
  vault: Vault,
  tx: Transaction,
  accountId: AccountId,
  question: BlindIndex,
  answer: NewAnswer,
): Promise<KeptAnswer> {
  const id = newId()
  const { task, engine, model, text, money, ms, freshMs, keptMs } = answer
  const sealed = await vault.seal(tx, placeOf(accountId, id), text)
  await tx.run(sql`delete from seaworthy.ai_answers where account_id = ${accountId} and question = ${question}`)
  await tx.run(sql`
    insert into seaworthy.ai_answers (id, account_id, task, question, engine, model, answer, money, ms, fresh_until, expires_at)
    values (${id}, ${accountId}, ${task}, ${question}, ${engine}, ${model}, ${sealed}, ${money}, ${Math.round(ms)},
      now() + ${freshMs} * interval '1 millisecond', now() + ${keptMs} * interval '1 millisecond')
    on conflict (account_id, question) do nothing`)
  const now = Date.now()
  return { id, engine, model, text, money, createdMs: now, freshUntilMs: now + freshMs, expiresMs: now + keptMs }
}

/** Whether this call asks for all who ask the same. False while another one lives that does. */
export async function takeFlight(
  tx: Transaction,
  accountId: AccountId,
  question: BlindIndex,
  { call, leaseMs }: { readonly call: string; readonly leaseMs: number },
): Promise<boolean> {
  const taken = await tx.run(sql`
    insert into seaworthy.ai_flights (account_id, question, call, expires_at)
    values (${accountId}, ${question}, ${call}, clock_timestamp() + ${leaseMs} * interval '1 millisecond')
    on conflict (account_id, question) do update set call = excluded.call, expires_at = excluded.expires_at
    where ai_flights.expires_at < clock_timestamp()`)
  return taken === 1
}

/** Only its own: one that was too slow may have been replaced. */
export const endFlight = (tx: Transaction, accountId: AccountId, call: string): Promise<number> =>
  tx.run(sql`delete from seaworthy.ai_flights where account_id = ${accountId} and call = ${call}`)
