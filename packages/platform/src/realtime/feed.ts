import { type AccountId, SECOND } from '@seaworthy/core'
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
  /** Events of one channel after a cursor, oldest first. Undefined when there are more than can be replayed. */
  since(accountId: AccountId, channel: string, cursor: number): Promise<StoredEvent[] | undefined>
  stop(): Promise<void>
}

export interface FeedSettings {
  readonly database: Database
  readonly endpoint: Endpoint
  readonly login: Login
  readonly log: Logger
  readonly deliver: (event: StoredEvent) => void
}

const POLL_MS = SECOND
const PAGE = 500
const REPLAY_MAX = 500
/** Longer than any transaction may live: after that a gap in the ids is a rollback and not a commit to come. */
const GAP_MS = 40 * SECOND

/**
 * Every event once, in this process, wherever it was committed. NOTIFY only wakes; the table is read by cursor, and
 * once a second without being woken. Ids are given before commits, so an id can appear after a larger one: ids above
 * the cursor that were seen are remembered, and the cursor waits at a gap as long as a transaction may live.
 */
export async function openFeed(settings: FeedSettings): Promise<Feed> {
  const state = { cursor: await readNewest(settings.database), seen: new Map<number, number>() }
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
    since: (accountId, channel, cursor) => readSince(settings.database, accountId, channel, cursor),
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
async function readPage(
  settings: FeedSettings,
  state: { cursor: number; seen: Map<number, number> },
): Promise<boolean> {
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
  advance(state, now)
  return events.length === PAGE
}

function advance(state: { cursor: number; seen: Map<number, number> }, now: number): void {
  for (const id of [...state.seen.keys()].sort((a, b) => a - b)) {
    const seenAt = state.seen.get(id) ?? now
    if (id !== state.cursor + 1 && now - seenAt < GAP_MS) return
    state.cursor = id
    state.seen.delete(id)
  }
}

async function readNewest(database: Database): Promise<number> {
  const row = await database.withDuty(
    'realtime',
    (tx) => tx.one<{ newest: number }>(sql`select coalesce(max(id), 0) as newest from seaworthy.events`),
    { readOnly: true },
  )
  return row.newest
}

async function readSince(
  database: Database,
  accountId: AccountId,
  channel: string,
  cursor: number,
): Promise<StoredEvent[] | undefined> {
  const events = await database.withCaller(
    { accountId },
    (tx) =>
      tx.many<StoredEvent>(sql`
    ${select} where account_id = ${accountId} and channel = ${channel} and id > ${cursor} order by id limit ${REPLAY_MAX + 1}`),
    { readOnly: true },
  )
  return events.length > REPLAY_MAX ? undefined : events
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
