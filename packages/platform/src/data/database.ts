import { type AccountCaller, AppError, assert, backoffMs, type Caller, fault, isId, pause } from '@seaworthy/core'
import {
  allOf,
  breakConnections,
  type Endpoint,
  type Login,
  openPool,
  type PgClient,
  type PgPool,
  type PoolLimits,
} from './drivers/pg.ts'
import { asTransaction, refuseInTransaction } from './inside.ts'
import { BehindError, hasReplayed, moveOn, type Position, positionNow, type Seen, seenNow } from './positions.ts'
import { createQueueTime, type QueueTime } from './queue-time.ts'
import { type SlowSettings, type StatementWatch, watchStatements } from './slow-statements.ts'
import { isConnectionError, isWorthRetrying, translateDatabaseError } from './sqlstate.ts'
import { type Effect, PgTransaction, type Transaction } from './transaction.ts'

/** Work of the system itself that row-level security lets see more than one account. Not for apps. */
export type Duty = 'assets' | 'audit' | 'identity' | 'janitor' | 'limits' | 'mail' | 'operations' | 'realtime'

export interface TransactionOptions {
  readonly isolation?: 'read committed' | 'repeatable read' | 'serializable'
  readonly readOnly?: boolean
  /** W3C traceparent; shown beside the statement in the server's views. */
  readonly trace?: string
  /** Whoever asked does not wait longer: no statement takes more. In milliseconds. */
  readonly remainingMs?: number | undefined
  /** A replica may answer where there is one, when it has all that the request has seen. */
  readonly mayLag?: boolean
  /** For a standby: nothing is read, and it fails with `BehindError`, before it has replayed this. */
  readonly since?: Position
}

export interface Database {
  /** The only way to tenant data: begin, caller and first statement go out in one round trip. */
  withCaller<T>(
    caller: Caller | AccountCaller,
    work: (tx: Transaction) => Promise<T>,
    options?: TransactionOptions,
  ): Promise<T>
  withDuty<T>(duty: Duty, work: (tx: Transaction) => Promise<T>, options?: TransactionOptions): Promise<T>
  /** Resolves when the server answers. */
  ping(): Promise<void>
  stats(): { readonly total: number; readonly idle: number; readonly waiting: number }
  /** How long whoever asks for a connection now will wait for it, in milliseconds. */
  expectedWaitMs(): number
  /** Ends every connection at once: what is under way fails now, and what comes next connects again. */
  interrupt(): void
  close(): Promise<void>
}

export interface DatabaseSettings {
  readonly endpoint: Endpoint
  readonly login: Login
  readonly name: string
  readonly limits: PoolLimits
  /** Called with what an after-commit effect threw. */
  readonly onEffectError?: (error: unknown) => void
  /** Without it no statement is watched. */
  readonly slow?: SlowSettings
  /** How often a transaction is run that others got in the way of. */
  readonly triesMax?: number
}

const TRIES_MAX = 5
const RETRY_BASE_MS = 10
const RETRY_MAX_MS = 250

export function openDatabase(settings: DatabaseSettings): Database {
  const pool = openPool(settings.endpoint, settings.login, settings.name, settings.limits)
  const watch = settings.slow && watchStatements(pool, settings.slow)
  const queue = createQueueTime(settings.limits.max)
  const connections = { pool, queue, max: settings.limits.max }
  const within = <T>(scope: string, work: (tx: Transaction) => Promise<T>, options: TransactionOptions = {}) =>
    runOutside(() => {
      const begin = `${beginStatement(options, settings.limits.statementMs)}; ${scope}`
      return runOnce({ connections, watch, trace: options.trace, begin, since: options.since }, work)
    }, settings.triesMax).then(async ({ value, effects }) => {
      await runEffects(effects, settings.onEffectError)
      return value
    })
  return {
    withCaller: (caller, work, options) => within(callerScope(caller), work, options),
    withDuty: (duty, work, options) => within(`set local app.duty = '${duty}'`, work, options),
    ping: async () => {
      await pool.query('select 1')
    },
    stats: () => ({ total: pool.totalCount, idle: pool.idleCount, waiting: pool.waitingCount }),
    expectedWaitMs: queue.expectedMs,
    interrupt: () => breakConnections(pool),
    close: () => {
      watch?.close()
      return pool.end()
    },
  }
}

/** `SET LOCAL`, so that the scope ends with the transaction and never travels through the pool. Ids are checked to be UUIDs. */
function callerScope(caller: Caller | AccountCaller): string {
  assert(isId(caller.accountId), 'the account id is a UUID')
  if (!('userId' in caller)) return `set local app.account_id = '${caller.accountId}'`
  assert(isId(caller.userId), 'the user id is a UUID')
  return `set local app.account_id = '${caller.accountId}'; set local app.user_id = '${caller.userId}'`
}

const traceForm = /^[0-9a-f-]{55}$/

function beginStatement(options: TransactionOptions, statementMs: number): string {
  const comment = options.trace && traceForm.test(options.trace) ? `/*traceparent='${options.trace}'*/ ` : ''
  const isolation = options.isolation ? ` isolation level ${options.isolation}` : ''
  const begin = `${comment}begin${isolation}${options.readOnly ? ' read only' : ''}`
  // Shortens only: the connection's own limit stays the longest.
  if (options.remainingMs === undefined || options.remainingMs >= statementMs) return begin
  return `${begin}; set local statement_timeout = ${Math.max(1, Math.round(options.remainingMs))}`
}

const runOutside = async <T>(attempt: () => Promise<T>, triesMax = TRIES_MAX): Promise<T> => {
  refuseInTransaction('another transaction is opened')
  return withRetries(attempt, triesMax)
}

async function withRetries<T>(attempt: () => Promise<T>, triesMax: number): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries >= triesMax || !isWorthRetrying(error)) throw translateDatabaseError(error)
      await pause(backoffMs(tries, RETRY_BASE_MS, RETRY_MAX_MS))
    }
  }
}

interface Connections {
  readonly pool: PgPool
  readonly queue: QueueTime
  readonly max: number
}

interface Opening {
  readonly connections: Connections
  readonly begin: string
  readonly watch: StatementWatch | undefined
  readonly trace: string | undefined
  readonly since: Position | undefined
}

async function runOnce<T>(
  { connections, begin, watch, trace, since }: Opening,
  work: (tx: Transaction) => Promise<T>,
): Promise<{ value: T; effects: readonly Effect[] }> {
  const client = await connect(connections)
  const tx = new PgTransaction(client, watch, trace)
  let broken: Error | undefined
  const opened = since === undefined ? client.query(begin) : beginSince(client, begin, since)
  opened.catch(() => {
    // Seen by the commit below; the statements after it fail as well.
  })
  try {
    const value = await asTransaction(() => work(tx))
    tx.end()
    await opened
    if ((await commit(client, seenNow())) !== 'COMMIT')
      throw fault('conflict', {
        internal: 'the transaction was rolled back by a failed statement that was not awaited',
      })
    return { value, effects: tx.effects }
  } catch (error) {
    tx.end()
    broken = await rollBack(client, error)
    // What was not found there may only not be there yet.
    if (since !== undefined) await opened.catch(throwBehind)
    throw error
  } finally {
    client.release(broken)
  }
}

/** The question goes out with the beginning, so it costs no round trip; what was read is thrown away when the answer is no. */
async function beginSince(client: PgClient, begin: string, since: Position): Promise<void> {
  const results = await allOf<{ replayed: boolean }>(client, `${begin}; ${hasReplayed(since)}`)
  if (results.at(-1)?.rows[0]?.replayed !== true) throw new BehindError()
}

function throwBehind(error: unknown): void {
  if (error instanceof BehindError) throw error
}

/** The command that PostgreSQL says it was. Where somebody follows, the same round trip tells where the log is now. */
async function commit(client: PgClient, seen: Seen | undefined): Promise<string> {
  if (!seen) return (await client.query('commit')).command
  const [ended, told] = await allOf<{ position: Position | null }>(client, `commit; ${positionNow}`)
  moveOn(seen, told?.rows[0]?.position ?? undefined)
  return ended?.command ?? ''
}

async function connect({ pool, queue, max }: Connections): Promise<PgClient> {
  try {
    // Only who really waits says how long waiting takes.
    const mustWait = pool.idleCount === 0 && pool.totalCount >= max
    return await (mustWait ? queue.wait(pool.connect()) : pool.connect())
  } catch (error) {
    throw error instanceof AppError
      ? error
      : fault('unavailable', {
          internal: `no database connection: ${(error as Error).message}`,
          cause: error,
          retryAfterSeconds: 1,
        })
  }
}

/** Undefined when the connection is good to be used again. */
async function rollBack(client: PgClient, reason: unknown): Promise<Error | undefined> {
  if (isConnectionError(reason)) return reason as Error
  try {
    await client.query('rollback')
    return undefined
  } catch (error) {
    return error as Error
  }
}

async function runEffects(effects: readonly Effect[], onEffectError?: (error: unknown) => void): Promise<void> {
  for (const effect of effects) {
    try {
      await effect()
    } catch (error) {
      onEffectError?.(error)
    }
  }
}
