import { type AccountId, KiB, SECOND } from '@seaworthy/core'
import { type Database, type Endpoint, type Login, openClient, sql } from '../data/index.ts'
import type { Logger } from '../telemetry/index.ts'

export interface StoredEvent {
  readonly id: number
  readonly accountId: AccountId
  readonly channel: string
  readonly payload: unknown
}

export interface Feed {
  /** Everything up to here was delivered; what comes later has a larger id, or fills a gap that is still awaited. */
  readonly cursor: number
  /** Events of one channel after a cursor, oldest first. Undefined when there are more than can be given at once. */
  since(accountId: AccountId, channel: string, cursor: number): Promise<StoredEvent[] | undefined>
  /** Those of the last ten seconds: for who has just read the state and begins to watch. Undefined as above. */
  recent(accountId: AccountId, channel: string): Promise<StoredEvent[] | undefined>
  stop(): Promise<void>
}

export interface FeedSettings {
  readonly database: Database
  readonly endpoint: Endpoint
  readonly login: Login
  readonly log: Logger
  readonly deliver: (event: StoredEvent) => void
  /** Longer than any transaction may live: after that a gap in the ids is a rollback and not a commit to come. */
  readonly gapMs: number
}

interface State {
  cursor: number
  /** Ids above the cursor that were delivered, and when. */
  readonly seen: Map<number, number>
}

const POLL_MS = SECOND
const PAGE = 500
const REPLAY_MAX = 500
/** A quarter of what a reader may leave unread. */
const REPLAY_BYTES_MAX = 256 * KiB

/**
 * Every event once, in this process, wherever it was committed. NOTIFY only wakes; the table is read by cursor, and
 * once a second without being woken. Ids are given before commits, so an id can appear after a larger one: ids above
 * the cursor that were seen are remembered, and the cursor waits at a gap as long as a transaction may live.
 */
export async function openFeed(settings: FeedSettings): Promise<Feed> {
  const state = await readState(settings)
  let stopped = false
  let reading: Promise<void> | undefined
  let again = false
  const wake = (): void => {
    again = true
    reading ??= drain().finally(() => {
      reading = undefined
    })
  }
  const drain = async (): Promise<void> => {
    while (again && !stopped) {
      again = false
      try {
        if (await readPage(settings, state)) again = true
      } catch (error) {
        settings.log.debug('events could not be read; trying again in a second', { error })
      }
    }
  }
  const listener = listen(settings, wake)
  const timer = setInterval(wake, POLL_MS)
  return {
    get cursor() {
      return state.cursor
    },
    since: (accountId, channel, cursor) => readSince(settings.database, state, { accountId, channel, cursor }),
    recent: (accountId, channel) => readRecent(settings.database, accountId, channel),
    stop: async () => {
      stopped = true
      clearInterval(timer)
      await reading
      await listener.stop()
    },
  }
}

const select = sql`select id, account_id as "accountId", channel, payload from seaworthy.events`

/** True when there may be more. */
async function readPage(settings: FeedSettings, state: State): Promise<boolean> {
  const known = [...state.seen.keys()]
  const events = await settings.database.withDuty(
    'realtime',
    (tx) =>
      tx.many<StoredEvent>(sql`
    ${select} where id > ${state.cursor} and id <> all(${known}::bigint[]) order by id limit ${PAGE}`),
    { readOnly: true },
  )
  const now = performance.now()
  for (const event of events) {
    state.seen.set(event.id, now)
    settings.deliver(event)
  }
  advance(state, now, settings.gapMs)
  return events.length === PAGE
}

function advance(state: State, now: number, gapMs: number): void {
  for (const id of [...state.seen.keys()].sort((a, b) => a - b)) {
    const seenAt = state.seen.get(id) ?? now
    if (id !== state.cursor + 1 && now - seenAt < gapMs) return
    state.cursor = id
    state.seen.delete(id)
  }
}

/**
 * Begins where nothing can come late any more. What is younger and visible was delivered by others, before us. An event
 * bears the time at which its transaction began: its id may be as much younger as a transaction may live, and another
 * one with a smaller id may need as long again.
 */
async function readState({ database, gapMs }: FeedSettings): Promise<State> {
  const rows = await database.withDuty(
    'realtime',
    (tx) =>
      tx.many<{ id: number; young: boolean }>(sql`
        select id, true as young from seaworthy.events where created_at > now() - ${gapMs * 2} * interval '1 millisecond'
        union all select coalesce(max(id), 0), false from seaworthy.events where created_at <= now() - ${gapMs * 2} * interval '1 millisecond'`),
    { readOnly: true },
  )
  const now = performance.now()
  const cursor = Math.max(0, ...rows.filter((row) => !row.young).map((row) => row.id))
  return { cursor, seen: new Map(rows.filter((row) => row.young && row.id > cursor).map((row) => [row.id, now])) }
}

interface Missed {
  readonly accountId: AccountId
  readonly channel: string
  readonly cursor: number
}

/** Undefined also when the cursor is older than what is kept: then nobody knows what was missed. */
async function readSince(database: Database, state: State, missed: Missed): Promise<StoredEvent[] | undefined> {
  const { oldest } = await database.withDuty(
    'realtime',
    (tx) => tx.one<{ oldest: number | null }>(sql`select min(id) as oldest from seaworthy.events`),
    { readOnly: true },
  )
  if (missed.cursor + 1 < (oldest ?? state.cursor)) return undefined
  return readAll(database, missed, sql`id > ${missed.cursor}`)
}

const readRecent = (database: Database, accountId: AccountId, channel: string): Promise<StoredEvent[] | undefined> =>
  readAll(database, { accountId, channel }, sql`created_at > now() - interval '10 seconds'`)

/** All of them, or undefined: a reader is given so much at once that it does not look as if it did not read. */
async function readAll(
  database: Database,
  { accountId, channel }: Omit<Missed, 'cursor'>,
  which: ReturnType<typeof sql>,
): Promise<StoredEvent[] | undefined> {
  const rows = await database.withCaller(
    { accountId },
    (tx) =>
      tx.many<StoredEvent & { bytes: number }>(sql`
        select * from (
          select *, (sum(octet_length(payload::text)) over (order by id))::int as bytes
          from (${select} where account_id = ${accountId} and channel = ${channel} and ${which}
            order by id limit ${REPLAY_MAX + 1}) found) counted
        where bytes - octet_length(payload::text) <= ${REPLAY_BYTES_MAX} order by id`),
    { readOnly: true },
  )
  const last = rows.at(-1)
  return rows.length > REPLAY_MAX || (last && last.bytes > REPLAY_BYTES_MAX) ? undefined : rows
}

/** A connection of its own; when it breaks, the poll carries on and it is made again. */
function listen(settings: FeedSettings, wake: () => void): { stop(): Promise<void> } {
  let stopped = false
  let close: () => Promise<void> = async () => undefined
  const connect = async (): Promise<void> => {
    if (stopped) return
    try {
      const client = await openClient(settings.endpoint, settings.login, 'events')
      client.on('notification', wake)
      client.once('end', () => setTimeout(() => void connect(), POLL_MS).unref())
      close = () => client.end()
      await client.query('listen seaworthy_events')
      wake()
    } catch {
      setTimeout(() => void connect(), POLL_MS).unref()
    }
  }
  void connect()
  return {
    stop: async () => {
      stopped = true
      await close()
    },
  }
}
