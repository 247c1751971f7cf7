import { type AccountId, newId, pause, SECOND } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import type { Logger, Metrics } from '../telemetry/index.ts'
import type { Turns } from './turns.ts'

/** Of whom, for what, by what. */
export interface UseOf {
  readonly accountId: AccountId
  readonly task: string
  readonly engine: string
  readonly model: string
}

export interface Used {
  readonly calls?: number
  readonly failures?: number
  readonly tokensIn?: number
  readonly tokensOut?: number
  /** Millionths of a dollar. */
  readonly money?: number
  readonly ms?: number
  readonly hits?: number
  readonly moneySaved?: number
}

/** In the transaction that settles a call. */
export async function recordUse(tx: Transaction, of: UseOf, used: Used): Promise<void> {
  const { calls = 0, failures = 0, tokensIn = 0, tokensOut = 0, money = 0, ms = 0, hits = 0, moneySaved = 0 } = used
  await tx.run(sql`
    insert into seaworthy.ai_usage as u (id, account_id, day, task, engine, model, calls, failures, tokens_in, tokens_out, money, ms, hits, money_saved)
    values (${newId()}, ${of.accountId}, seaworthy.ai_today(), ${of.task}, ${of.engine}, ${of.model},
      ${calls}, ${failures}, ${tokensIn}, ${tokensOut}, ${money}, ${Math.round(ms)}, ${hits}, ${moneySaved})
    on conflict on constraint ai_usage_of do update set
      calls = u.calls + excluded.calls, failures = u.failures + excluded.failures, tokens_in = u.tokens_in + excluded.tokens_in,
      tokens_out = u.tokens_out + excluded.tokens_out, money = u.money + excluded.money, ms = u.ms + excluded.ms,
      hits = u.hits + excluded.hits, money_saved = u.money_saved + excluded.money_saved`)
}

/** What costs nothing is counted in memory and written every second: a hit must not cost a statement. */
export interface Tally {
  hit(of: UseOf, answerId: string, money: number): void
  free(of: UseOf, used: Used): void
  /** Writes what was counted so far. */
  flush(): Promise<void>
  /** Writes the rest and ends. */
  stop(): Promise<void>
}

interface Counted {
  readonly of: UseOf
  readonly used: { calls: number; failures: number; ms: number; hits: number; moneySaved: number }
  /** By the answer that was given. */
  readonly hits: Map<string, number>
}

const FLUSH_MS = SECOND
const TRIES = 3

export function openTally(database: Turns, log: Logger, metrics: Metrics): Tally {
  const count = metrics.counter('ai_answers_total', 'Answers of AI tasks, by task and what gave them.', [
    'task',
    'engine',
  ])
  let counted = new Map<string, Counted>()
  const entry = (of: UseOf): Counted => {
    const name = `${of.accountId} ${of.task} ${of.engine} ${of.model}`
    let known = counted.get(name)
    if (!known) {
      known = { of, used: { calls: 0, failures: 0, ms: 0, hits: 0, moneySaved: 0 }, hits: new Map() }
      counted.set(name, known)
    }
    return known
  }
  const flush = async (): Promise<void> => {
    const batch = counted
    counted = new Map()
    for (const one of batch.values()) await writeWithTries(database, log, one)
  }
  let flushing: Promise<void> = Promise.resolve()
  const timer = setInterval(() => {
    flushing = flushing.then(flush)
  }, FLUSH_MS)
  timer.unref()
  return {
    hit: (of, answerId, money) => {
      const { used, hits } = entry(of)
      used.hits++
      used.moneySaved += money
      hits.set(answerId, (hits.get(answerId) ?? 0) + 1)
      count({ task: of.task, engine: 'cache' })
    },
    free: (of, { calls = 0, failures = 0, ms = 0 }) => {
      const { used } = entry(of)
      used.calls += calls
      used.failures += failures
      used.ms += ms
      if (calls > failures) count({ task: of.task, engine: of.engine })
    },
    flush: () => {
      flushing = flushing.then(flush)
      return flushing
    },
    stop: async () => {
      clearInterval(timer)
      await flushing
      await flush()
    },
  }
}

async function writeWithTries(database: Turns, log: Logger, { of, used, hits }: Counted): Promise<void> {
  for (let tries = 1; ; tries++) {
    try {
      return await database.withCaller({ accountId: of.accountId }, async (tx) => {
        await recordUse(tx, of, used)
        for (const [id, n] of hits)
          await tx.run(
            sql`update seaworthy.ai_answers set hits = hits + ${n} where account_id = ${of.accountId} and id = ${id}`,
          )
      })
    } catch (error) {
      // Of an account that was erased meanwhile, or the database is gone: a count is no reason to fail.
      if (tries >= TRIES) return log.warn('uses of AI could not be counted', { error, task: of.task })
      await pause(FLUSH_MS / 2)
    }
  }
}
