import { type AccountCaller, AppError, type Caller, SECOND } from '@seaworthy/core'
import { type Database, openDatabase, type TransactionOptions } from './database.ts'
import type { Endpoint, Login, PoolLimits } from './drivers/pg.ts'
import { BehindError, seenNow } from './positions.ts'
import { openProbe } from './probe.ts'
import {
  type PrimaryAnswer,
  primaryQuestion,
  type ReplicaAnswer,
  type ReplicaWatch,
  replicaQuestion,
  type WhyPrimary,
  watchReplica,
} from './replica-watch.ts'
import type { SlowSettings } from './slow-statements.ts'
import { isConnectionError } from './sqlstate.ts'
import type { Transaction } from './transaction.ts'

/** A streaming standby that answers reads which may lag, as long as nobody can tell. */
export interface Replica {
  /** The primary; reads that may lag go to the replica whenever it has all that their request has seen. */
  readonly database: Database
  /** Why it is not used; undefined while it is. */
  problem(): string | undefined
  /** For how long commits may have been missing there, in milliseconds. */
  lagMs(): number
  close(): Promise<void>
}

export interface ReplicaSettings {
  readonly primary: Database
  readonly primaryEndpoint: Endpoint
  readonly endpoint: Endpoint
  readonly login: Login
  readonly name: string
  readonly limits: PoolLimits
  /** Without it no statement is watched. */
  readonly slow?: SlowSettings
  /** Reads are never answered with an older state. Five seconds unless said. */
  readonly lagMaxMs?: number
  readonly onJoin: (lagMs: number) => void
  readonly onLeave: (why: string) => void
  /** Called for each read that may lag. `failed`: it was begun on the replica and done again. */
  readonly count: (read: { readonly by: 'replica' | 'primary'; readonly why: WhyPrimary | 'failed' | '' }) => void
}

const LAG_MAX_MS = 5 * SECOND
/** Whoever waits longer for a connection there is served sooner by the primary. */
const WAIT_MS = SECOND

/** Neither waits for the replica nor fails without it: until it answers, and whenever it does not, all goes to the primary. */
export function openReplica(settings: ReplicaSettings): Replica {
  const { primary, endpoint, login, limits } = settings
  const standby = openDatabase({
    endpoint,
    login,
    name: settings.name,
    limits: { ...limits, waitMs: Math.min(limits.waitMs, WAIT_MS) },
    triesMax: 1,
    ...(settings.slow ? { slow: settings.slow } : {}),
  })
  const watch = watchReplica({
    primary: openProbe<PrimaryAnswer>(settings.primaryEndpoint, login, primaryQuestion),
    replica: openProbe<ReplicaAnswer>(endpoint, login, replicaQuestion),
    lagMaxMs: settings.lagMaxMs ?? LAG_MAX_MS,
    onJoin: settings.onJoin,
    onLeave: (why, unreachable) => {
      settings.onLeave(why)
      if (unreachable) standby.interrupt()
    },
  })
  return {
    database: { ...primary, withCaller: routeReads({ primary, standby, watch, count: settings.count }) },
    problem: watch.problem,
    lagMs: watch.lagMs,
    close: async () => {
      await watch.close()
      await standby.close()
    },
  }
}

interface Routes extends Pick<ReplicaSettings, 'primary' | 'count'> {
  readonly standby: Database
  readonly watch: ReplicaWatch
}

function routeReads({ primary, standby, watch, count }: Routes): Database['withCaller'] {
  return async <T>(
    caller: Caller | AccountCaller,
    work: (tx: Transaction) => Promise<T>,
    options: TransactionOptions = {},
  ): Promise<T> => {
    if (!options.mayLag || options.isolation) return primary.withCaller(caller, work, options)
    const since = watch.needed(seenNow()?.position)
    if (typeof since === 'string') {
      count({ by: 'primary', why: since })
      return primary.withCaller(caller, work, options)
    }
    const startedMs = performance.now()
    try {
      const value = await standby.withCaller(caller, work, { ...options, since })
      count({ by: 'replica', why: '' })
      return value
    } catch (error) {
      if (!isItsOwn(error)) throw error
      count({ by: 'primary', why: 'failed' })
      return primary.withCaller(caller, work, withLess(options, performance.now() - startedMs))
    }
  }
}

const withLess = (options: TransactionOptions, ms: number): TransactionOptions =>
  options.remainingMs === undefined ? options : { ...options, remainingMs: options.remainingMs - ms }

/** Cancelled because it took too long: it would on the primary too. */
const tooLong = new Set(['57014', '25P04'])

/** What a replica fails with and the primary may not: connections, rows that were vacuumed away, a table not there yet. */
function isItsOwn(error: unknown): boolean {
  const found = error instanceof AppError ? error.cause : error
  if (found instanceof BehindError || isConnectionError(found)) return true
  const code = (found as { code?: unknown } | undefined)?.code
  return typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code) && !tooLong.has(code)
}
