import { createHash } from 'node:crypto'
import { type Clock, MINUTE, pause, SECOND, systemClock } from '@seaworthy/core'
import type { PgPool } from './drivers/pg.ts'
import { splitStatements } from './statements.ts'

/** What is known about a statement that took too long. It holds no value of anybody's. */
export interface SlowStatement {
  /** The same for all statements of this form. */
  readonly fingerprint: string
  readonly ms: number
  /** Of the request or job that waited for it. */
  readonly trace: string | undefined
  readonly statement: string
  /** As PostgreSQL plans it for any values, or why there is none. */
  readonly plan: string
}

export interface SlowSettings {
  readonly thresholdMs: number
  /** Called for each slow statement. */
  readonly count: () => void
  /** Called once for each form and minute, when the plan is there. */
  readonly report: (statement: SlowStatement) => void
  readonly clock?: Clock
}

/** What a transaction tells about its statements. */
export interface StatementWatch {
  readonly thresholdMs: number
  /** Returns at once; the rest is done when a connection has nothing else to do. */
  slow(text: string, ms: number, traceparent: string | undefined): void
  close(): void
}

const FORMS_MAX = 500
const QUEUE_MAX = 8
const TRIES_MAX = 10
const EXPLAIN_MS = 2_000
const LOCK_MS = 200

export function watchStatements(pool: PgPool, settings: SlowSettings): StatementWatch {
  const { clock = systemClock } = settings
  const reported = new Map<string, number>()
  const closed = new AbortController()
  let [queue, queued] = [Promise.resolve(), 0]
  const isDue = (fingerprint: string): boolean => {
    const last = reported.get(fingerprint)
    if (last !== undefined && clock.now() - last < MINUTE) return false
    if (reported.size >= FORMS_MAX) reported.clear()
    reported.set(fingerprint, clock.now())
    return true
  }
  const plan = async (text: string): Promise<string> => {
    if (queued >= QUEUE_MAX) return 'none: too many slow statements at once'
    queued++
    const planned = queue.then(() => explainWhenIdle(pool, text, closed.signal))
    queue = planned.then(() => void queued--)
    return planned
  }
  return {
    thresholdMs: settings.thresholdMs,
    slow: (text, ms, traceparent) => {
      settings.count()
      const statement = maskValues(text)
      const fingerprint = fingerprintOf(statement)
      if (!isDue(fingerprint)) return
      const found = { fingerprint, ms: Math.round(ms), trace: traceparent?.slice(3, 35), statement }
      void plan(text).then((plan) => settings.report({ ...found, plan }))
    },
    close: () => closed.abort(),
  }
}

/** Text that a program put into the statement itself could be somebody's; lists of any length are one form. */
function maskValues(text: string): string {
  return text
    .replace(/'(?:[^']|'')*'/g, "'?'")
    .replace(/\s+/g, ' ')
    .replace(/\$\d+(?:, ?\$\d+)+/g, '$...')
    .replace(/\(\$(?:\d+|\.{3})\)(?:, ?\(\$(?:\d+|\.{3})\))+/g, '($...)')
    .trim()
}

const fingerprintOf = (form: string): string => createHash('sha256').update(form).digest('hex').slice(0, 16)

/** Never takes a connection that a request waits for. */
async function explainWhenIdle(pool: PgPool, text: string, signal: AbortSignal): Promise<string> {
  if (splitStatements(text).length !== 1) return 'none: more than one statement'
  for (let tries = 1; pool.waitingCount > 0 || (pool.idleCount === 0 && pool.totalCount >= pool.options.max); tries++) {
    if (tries >= TRIES_MAX || signal.aborted) return 'none: every connection was busy'
    await pause(SECOND, signal)
  }
  return explain(pool, text).catch((error: Error) => `none: ${error.message}`)
}

/** Plans and does not run. The parameters stay parameters, so no value is needed and none is shown. */
async function explain(pool: PgPool, text: string): Promise<string> {
  const client = await pool.connect()
  try {
    await client.query(
      `begin read only; set local statement_timeout = ${EXPLAIN_MS}; set local lock_timeout = ${LOCK_MS}`,
    )
    const { rows } = await client.query<{ 'QUERY PLAN': string }>(`explain (generic_plan) ${text}`)
    return maskValues(
      rows
        .map((row) => row['QUERY PLAN'])
        .join('\n')
        .replace(/\n/g, ' | '),
    )
  } finally {
    await client.query('rollback').then(
      () => client.release(),
      (error: Error) => client.release(error),
    )
  }
}
