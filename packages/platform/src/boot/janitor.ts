import type { Config } from '../config/index.ts'
import { type Database, type Duty, sql } from '../data/index.ts'
import type { ScheduledTask } from '../jobs/index.ts'
import type { MediaRoom } from '../media/index.ts'
import type { Logger } from '../telemetry/index.ts'

interface JanitorParts {
  readonly database: Database
  readonly media: MediaRoom
  readonly log: Logger
  readonly config: Config
}

type Deletion = ReturnType<typeof sql>

const ROWS_MAX = 5_000
const ROUNDS_MAX = 100

const before = (ms: number): Deletion => sql`(now() - ${ms} * interval '1 millisecond')`
const events = (ms: number): Deletion => sql`
  delete from seaworthy.events where id in (
    select id from seaworthy.events where created_at < ${before(ms)} limit ${ROWS_MAX})`
const answers = (ms: number): Deletion => sql`
  delete from seaworthy.idempotency where (account_id, key) in (
    select account_id, key from seaworthy.idempotency where created_at < ${before(ms)} limit ${ROWS_MAX})`
const jobs = (ms: number): Deletion => sql`
  delete from seaworthy.jobs where id in (
    select id from seaworthy.jobs where finished_at < ${before(ms)} limit ${ROWS_MAX})`
const sessions = (ms: number): Deletion => sql`
  delete from seaworthy.sessions where id in (
    select id from seaworthy.sessions where expires_at < ${before(ms)} limit ${ROWS_MAX})`

/** What piles up is removed, a bounded number of rows in each transaction, until nothing is left. */
export function janitorSchedules({ database, media, log, config }: JanitorParts): readonly ScheduledTask[] {
  const sweep = (name: string, cron: string, duty: Duty, deletion: Deletion): ScheduledTask => ({
    name: `platform.sweep-${name}`,
    cron,
    run: async () => log.info('old rows removed', { of: name, rows: await removeAll(database, duty, deletion) }),
  })
  return [
    sweep('events', '*/5 * * * *', 'janitor', events(config.eventRetentionMs)),
    sweep('answers', '11 * * * *', 'janitor', answers(config.answerRetentionMs)),
    sweep('jobs', '23 * * * *', 'janitor', jobs(config.jobRetentionMs)),
    sweep('sessions', '37 * * * *', 'identity', sessions(config.sessionRetentionMs)),
    {
      name: 'platform.sweep-media',
      cron: '*/10 * * * *',
      run: async () => {
        const { failures, ...removed } = await media.sweep()
        log.info('unused files removed', removed)
        if (failures.length)
          log.error('unused files could not be removed', { count: failures.length, first: failures[0] })
      },
    },
  ]
}

async function removeAll(database: Database, duty: Duty, deletion: Deletion): Promise<number> {
  let removed = 0
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const rows = await database.withDuty(duty, (tx) => tx.run(deletion))
    removed += rows
    if (rows < ROWS_MAX) break
  }
  return removed
}
