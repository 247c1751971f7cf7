import { type AccountId, fault, newId, pause, SECOND } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'
import type { Turns } from './turns.ts'

/** What an account, an app or a task may spend on a day. */
export interface Scope {
  readonly name: string
  /** Millionths of a dollar. */
  readonly moneyMax: number
  readonly tokensMax: number
}

export interface Amount {
  readonly money: number
  readonly tokens: number
}

/** Where nothing else is said. Far from the end of what the database counts. */
export const ENDLESS = 1_000_000_000_000_000

export const accountScope = (accountId: AccountId): string => `account:${accountId}`
export const appScope = (app: string): string => `app:${app}`
export const taskScope = (task: string, accountId: AccountId): string => `task:${task}:${accountId}`

/** How long what a call holds, or asks for others, stays with it after it was last heard of. In milliseconds. */
export const LEASE_MS = 15 * SECOND
const RENEW_MS = 5 * SECOND

/** Sets aside what a call may cost at most, in all scopes or in none. @throws `ai_budget_used_up` */
export async function reserve(
  database: Turns,
  accountId: AccountId,
  scopes: readonly Scope[],
  { money, tokens }: Amount,
  leaseMs = LEASE_MS,
): Promise<string> {
  const call = newId()
  const ask = (): Promise<string | null> =>
    database.withCaller({ accountId }, async (tx) => {
      const { short } = await tx.one<{ short: string | null }>(sql`
        select seaworthy.ai_reserve(${call}, ${scopes.map(({ name }) => name)}::text[], ${scopes.map(({ moneyMax }) => moneyMax)}::bigint[],
          ${scopes.map(({ tokensMax }) => tokensMax)}::bigint[], ${money}, ${tokens}, ${leaseMs}) as short`)
      return short
    })
  for (;;) {
    const short = await ask()
    if (short === null) return call
    const scope = short.replace(STALE, '')
    // What a killed process held is given back as soon as somebody misses it, and not only when the janitor comes.
    if (scope === short) throw usedUp(scope)
    await returnExpired(database, accountId, scope)
  }
}

const STALE = /^stale /

const returnExpired = (database: Turns, accountId: AccountId, scope: string): Promise<number> =>
  database.withCaller({ accountId }, (tx) => tx.run(sql`select seaworthy.ai_return_expired(${scope})`))

/** What the call has cost in the end. */
export async function settle(tx: Transaction, call: string, scopes: readonly Scope[], cost: Amount): Promise<void> {
  await tx.run(
    sql`select seaworthy.ai_settle(${call}, ${scopes.map(({ name }) => name)}::text[], ${cost.money}, ${cost.tokens})`,
  )
}

const words = { account: 'of this account', app: 'of this app', task: 'for this' } as const

function usedUp(scope: string) {
  const kind = scope.split(':', 1)[0] as keyof typeof words
  return fault('ai_budget_used_up', {
    detail: `The budget ${words[kind]} does not cover this question today. The next day begins at midnight UTC.`,
    internal: `the budget of ${scope} is used up`,
    retryAfterSeconds: Math.ceil((nextMidnight() - Date.now()) / SECOND),
  })
}

const nextMidnight = (): number => new Date().setUTCHours(24, 0, 0, 0)

/** Says every few seconds that the calls of this process are under way. */
export interface Leases {
  add(call: string): void
  remove(call: string): void
  stop(): void
}

export function openLeases(database: Turns, log: Logger): Leases {
  const calls = new Set<string>()
  const renew = (): void => {
    if (calls.size === 0) return
    void database
      .withDuty('janitor', (tx) => tx.run(sql`select seaworthy.ai_renew(${[...calls]}::uuid[], ${LEASE_MS})`))
      .catch((error: unknown) => log.warn('calls of AI engines could not be renewed', { error }))
  }
  const timer = setInterval(renew, RENEW_MS)
  timer.unref()
  return {
    add: (call) => void calls.add(call),
    remove: (call) => void calls.delete(call),
    stop: () => clearInterval(timer),
  }
}

const SWEEP_ROUNDS = 100

/** On duty: what all calls held that are gone. How many. */
export async function returnAllExpired(database: Turns): Promise<number> {
  let all = 0
  for (let round = 0; round < SWEEP_ROUNDS; round++) {
    const { returned } = await database.withDuty('janitor', (tx) =>
      tx.one<{ returned: number }>(sql`select seaworthy.ai_return_expired(null) as returned`),
    )
    all += returned
    if (returned === 0) break
    await pause(0)
  }
  return all
}
