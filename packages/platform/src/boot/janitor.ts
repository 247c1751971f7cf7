import { sweepKeptAssets } from '../assets/index.ts'
import type { Config } from '../config/index.ts'
import { type Database, type Duty, sql } from '../data/index.ts'
import type { ScheduledTask } from '../jobs/index.ts'
import { eraseOldMail } from '../mail/index.ts'
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
/**
 * From the oldest on and without a hole, so that the oldest that is left tells who has missed something; the newest stays
 * although it is old, so that it can be told when nothing happened for long.
 */
const events = (ms: number): Deletion => sql`
  delete from seaworthy.events where id in (
    select id from seaworthy.events where id < coalesce(
      (select min(id) from seaworthy.events where created_at >= ${before(ms)}), (select max(id) from seaworthy.events))
    order by id limit ${ROWS_MAX})`
const answers = (ms: number): Deletion => sql`
  delete from seaworthy.idempotency where (account_id, key) in (
    select account_id, key from seaworthy.idempotency where created_at < ${before(ms)} limit ${ROWS_MAX})`
const jobs = (ms: number): Deletion => sql`
  delete from seaworthy.jobs where id in (
    select id from seaworthy.jobs where finished_at < ${before(ms)} limit ${ROWS_MAX})`
const sessions = (ms: number): Deletion => sql`
  delete from seaworthy.sessions where id in (
    select id from seaworthy.sessions where expires_at < ${before(ms)} limit ${ROWS_MAX})`
const invitations: Deletion = sql`
  delete from seaworthy.invitations where id in (
    select id from seaworthy.invitations where expires_at < now() - interval '30 days' limit ${ROWS_MAX})`

/** Kept for a day after their time: they count towards how many mails somebody is sent. */
const links: Deletion = sql`
  delete from seaworthy.one_time_links where token_hash in (
    select token_hash from seaworthy.one_time_links where expires_at < now() - interval '1 day' limit ${ROWS_MAX})`

/** By the clock of the web processes, which may be a little behind. */
const rates: Deletion = sql`
  delete from seaworthy.rates where key in (
    select key from seaworthy.rates where ends_ms < (extract(epoch from now()) - 3600) * 1000 limit ${ROWS_MAX})`
const tries: Deletion = sql`
  delete from seaworthy.tries where key in (
    select key from seaworthy.tries where last_ms < (extract(epoch from now()) - 90000) * 1000 limit ${ROWS_MAX})`

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
    sweep('invitations', '43 * * * *', 'identity', invitations),
    sweep('links', '47 * * * *', 'identity', links),
    {
      name: 'platform.sweep-mail',
      cron: '*/5 * * * *',
      run: async () => {
        const rows = await repeat(() => database.withDuty('mail', (tx) => eraseOldMail(tx, ROWS_MAX)))
        log.info('old rows removed', { of: 'mail', rows })
      },
    },
    {
      name: 'platform.sweep-assets',
      cron: '53 3 * * *',
      run: async () => log.info('old rows removed', { of: 'assets', rows: await sweepKeptAssets(database) }),
    },
    sweep('rates', '*/10 * * * *', 'limits', rates),
    sweep('tries', '43 * * * *', 'identity', tries),
    {
      name: 'platform.sweep-media',
      cron: '*/10 * * * *',
      run: async () => {
        const { failures, ...removed } = await media.sweep()
        log.info('unused files removed', removed)
        if (failures.length)
          log.error('unused files could not be removed', {
            runbook: 'provider-down',
            count: failures.length,
            first: failures[0],
          })
      },
    },
  ]
}

const removeAll = (database: Database, duty: Duty, deletion: Deletion): Promise<number> =>
  repeat(() => database.withDuty(duty, (tx) => tx.run(deletion)))

/** Until a round has little to do. How many rows in all. */
async function repeat(work: () => Promise<number>): Promise<number> {
  let removed = 0
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const rows = await work()
    removed += rows
    if (rows < ROWS_MAX) break
  }
  return removed
}
