import type { WatcherReport } from './crowd-member.ts'
import type { Stack } from './stack.ts'
import type { Owner, Talk } from './talk.ts'

/** An event as the database has it. */
export interface StoredEvent {
  readonly id: number
  readonly accountId: string
  readonly jobId: string
  readonly state: string
}

/** All events of jobs that were committed. */
export async function eventsOf(stack: Stack, owners: readonly Owner[]): Promise<StoredEvent[]> {
  const { rows } = await (await stack.database('admin')).query<StoredEvent>(
    `select id::float8 as id, account_id as "accountId", payload ->> 'jobId' as "jobId", payload ->> 'state' as state
     from seaworthy.events where channel = 'platform.jobs' and account_id = any($1) order by id`,
    [owners.map(({ person }) => person.accountId)],
  )
  return rows
}

/** Readers of the same account follow each other. */
const ownerOf = (owners: readonly Owner[], reader: number, each: number): string =>
  owners[Math.floor(reader / each)]?.person.accountId ?? ''

/** Events of their account that readers did not hear, in all. */
export function missingOf(
  watchers: readonly WatcherReport[],
  each: number,
  owners: readonly Owner[],
  events: readonly StoredEvent[],
): number {
  return watchers.reduce((sum, { heard }, reader) => {
    const got = new Set(heard.map(([id]) => id))
    const account = ownerOf(owners, reader, each)
    return sum + events.filter(({ id, accountId }) => accountId === account && !got.has(id)).length
  }, 0)
}

/** From the moment somebody asked for a change until each reader heard of it, in milliseconds. */
export function delaysOf({ said }: Talk, events: readonly StoredEvent[], watchers: readonly WatcherReport[]): number[] {
  const saidAt = new Map(said.map(({ jobId, state, atMs }) => [`${jobId} ${state}`, atMs]))
  const startedAt = new Map<number, number>()
  for (const { id, jobId, state } of events) {
    const atMs = saidAt.get(`${jobId} ${state}`)
    // A change may be told again when the queue moves on: the first is the one that was asked for.
    if (atMs !== undefined) startedAt.set(id, atMs)
    saidAt.delete(`${jobId} ${state}`)
  }
  return watchers.flatMap(({ heard }) =>
    heard.flatMap(([id, atMs]) => {
      const started = startedAt.get(id)
      return started === undefined ? [] : [atMs - started]
    }),
  )
}
