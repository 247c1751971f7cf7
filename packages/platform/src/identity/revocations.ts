import { type Clock, SECOND } from '@seaworthy/core'
import { type Database, sql } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** Sessions that were ended or changed, and API keys that were revoked, while tokens of theirs may still be about. */
export interface Revocations {
  has(sessionId: string): boolean
  /** The session has changed since it had this version: whoever holds the token should fetch a new one. */
  isOutdated(sessionId: string, version: number): boolean
  /** Told when this process learns that a session has ended or changed. */
  onChanged(listener: (sessionId: string) => void): void
  /** Told when this process learns that an API key was changed or revoked. */
  onKeyChanged(listener: (keyId: string) => void): void
  /** At once in this process; the others learn of it within a second. */
  add(sessionId: string): void
  /** From this version on. */
  change(sessionId: string, version: number): void
  stop(): void
}

export interface RevocationSettings {
  readonly database: Database
  readonly accessMs: number
  readonly clock: Clock
  readonly log: Logger
}

/** Half of what is promised: the asking itself takes time too. */
const POLL_MS = SECOND / 2
/** Commits may lag: the last ten seconds are read again each time. */
const OVERLAP_MS = 10 * SECOND

/** Asks twice a second, so that no request has to. When the database does not answer, what is known stays in force. */
export function watchRevocations({ database, accessMs, clock, log }: RevocationSettings): Revocations {
  const { apply, forget, ...known } = createChanges(clock, accessMs)
  /** By the database's clock, which also writes when a session was ended. */
  let since: Date | undefined
  let asking = false
  const learn = async (): Promise<void> => {
    const asked = clock.now()
    const rows = await changesSince(database, since, accessMs)
    for (const row of rows) apply(row)
    if (rows[0]) since = new Date(rows[0].now.getTime() - OVERLAP_MS)
    forget(asked)
  }
  const poll = async (): Promise<void> => {
    if (asking) return
    asking = true
    await learn().catch((error: unknown) => log.debug('ended sessions could not be read; asking again soon', { error }))
    asking = false
  }
  const timer = setInterval(() => void poll(), POLL_MS)
  timer.unref()
  void poll()
  return { ...known, stop: () => clearInterval(timer) }
}

type Listener = (id: string) => void
interface Changed {
  readonly version: number
  readonly until: number
}

/** What this process knows, for as long as a token from before may live. */
function createChanges(clock: Clock, accessMs: number) {
  const ended = new Map<string, Changed>()
  const changed = new Map<string, Changed>()
  const keys = new Map<string, Changed>()
  const onSession: Listener[] = []
  const onKey: Listener[] = []
  /** Tells once for each version. */
  const note = (map: Map<string, Changed>, id: string, version: number, listeners: readonly Listener[]): void => {
    if ((map.get(id)?.version ?? -1) >= version) return
    map.set(id, { version, until: clock.now() + accessMs })
    for (const listener of listeners) listener(id)
  }
  const add = (id: string): void => note(ended, id, 0, onSession)
  const change = (id: string, version: number): void => note(changed, id, version, onSession)
  return {
    has: (id: string) => ended.has(id),
    isOutdated: (id: string, version: number) => (changed.get(id)?.version ?? 0) > version,
    onChanged: (listener: Listener) => void onSession.push(listener),
    onKeyChanged: (listener: Listener) => void onKey.push(listener),
    add,
    change,
    apply: (row: ChangeRow): void => {
      if (row.kind === 'key') note(keys, row.id, row.changed_at.getTime(), onKey)
      else if (row.kind === 'session' && row.ended) add(row.id)
      else if (row.kind === 'session') change(row.id, row.version)
    },
    forget: (now: number): void => {
      for (const map of [ended, changed, keys]) for (const [id, { until }] of map) if (until < now) map.delete(id)
    },
  }
}

type ChangeRow = { readonly now: Date } & (
  | { readonly kind: 'session'; readonly id: string; readonly ended: boolean; readonly version: number }
  | { readonly kind: 'key'; readonly id: string; readonly changed_at: Date }
  | { readonly kind: null }
)

/** At least one row, for the time of the database. */
function changesSince(database: Database, since: Date | undefined, accessMs: number): Promise<ChangeRow[]> {
  // Known when the statement is planned, so that a few changes are found by the index and not among all sessions.
  const at = since ? sql`${since}::timestamptz` : sql`(statement_timestamp() - ${accessMs} * interval '1 millisecond')`
  return database.withDuty(
    'identity',
    (tx) =>
      tx.many<ChangeRow>(sql`
        select clock.now, changes.* from (select clock_timestamp() as now) clock left join (
          select 'session' as kind, id, revoked_at is not null as ended, version, null::timestamptz as changed_at
          from seaworthy.sessions where revoked_at > ${at} or changed_at > ${at}
          union all
          select 'key', id, null, null, changed_at from seaworthy.api_keys where changed_at > ${at}) changes on true`),
    { readOnly: true },
  )
}
