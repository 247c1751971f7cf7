import { type Database, sql } from '../data/index.ts'
import type { Ask, Grant, RateStore } from './store.ts'

/** On connections of its own, so that counting does not wait behind what it bounds. */
export function createPostgresStore(database: Database): RateStore {
  return {
    name: 'postgresql',
    take: (key, ask) => database.withDuty('limits', async (tx) => toGrant(await tx.one<Row>(takeStatement(key, ask)))),
    giveBack: (key, startedMs, count) =>
      database.withDuty('limits', async (tx) => {
        await tx.run(
          sql`update seaworthy.rates set used = greatest(0, used - ${count}) where key = ${toBytes(key)} and started_ms = ${startedMs}`,
        )
      }),
    ping: () => database.ping(),
    close: () => database.close(),
  }
}

interface Row {
  readonly granted: number
  readonly used: number
  readonly started_ms: number
}

/**
 * One statement: who comes second waits for the row and sees what the first has used. Every expression on the right
 * reads the row as it was, hence the repetition.
 */
function takeStatement(key: string, { max, windowMs, want, now }: Ask) {
  const isOver = sql`${now}::bigint - r.started_ms >= ${windowMs}::bigint`
  const used = sql`case when ${isOver} then 0 else r.used end`
  const granted = sql`least(${want}::int, greatest(0, ${max}::int - (${used})))`
  const first = Math.min(want, max)
  return sql<Row>`
    insert into seaworthy.rates as r (key, started_ms, ends_ms, used, granted)
    values (${toBytes(key)}, ${now}, ${now + windowMs}, ${first}, ${first})
    on conflict (key) do update set
      started_ms = case when ${isOver} then ${now}::bigint else r.started_ms end,
      ends_ms = case when ${isOver} then ${now + windowMs}::bigint else r.ends_ms end,
      used = (${used}) + ${granted},
      granted = ${granted}
    returning granted, used, started_ms`
}

const toGrant = ({ granted, used, started_ms }: Row): Grant => ({ granted, used, startedMs: started_ms })

const toBytes = (key: string): Buffer => Buffer.from(key, 'hex')
