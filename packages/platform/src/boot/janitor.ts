import type { Database } from '../data/index.ts'
import { sql } from '../data/index.ts'
import type { ScheduledTask } from '../jobs/index.ts'
import type { MediaRoom } from '../media/index.ts'
import type { Logger } from '../telemetry/index.ts'

/** What piles up is removed, a bounded number of rows at a time. */
export function janitorSchedules(parts: {
  readonly database: Database
  readonly media: MediaRoom
  readonly log: Logger
}): readonly ScheduledTask[] {
  const { database, media, log } = parts
  return [
    {
      name: 'platform.sweep-media',
      cron: '*/10 * * * *',
      run: async () => log.info('unused files removed', { ...(await media.sweep()) }),
    },
    {
      name: 'platform.sweep-rows',
      cron: '*/5 * * * *',
      run: async () => {
        const events = await remove(
          database,
          sql`delete from seaworthy.events where id in (select id from seaworthy.events where created_at < now() - interval '1 hour' limit 5000)`,
        )
        const answers = await remove(
          database,
          sql`delete from seaworthy.idempotency where (account_id, key) in (select account_id, key from seaworthy.idempotency where created_at < now() - interval '48 hours' limit 5000)`,
        )
        log.info('old rows removed', { events, answers })
      },
    },
    {
      name: 'platform.sweep-sessions',
      cron: '7 * * * *',
      run: async () => {
        const sessions = await database.withDuty('identity', (tx) =>
          tx.run(
            sql`delete from seaworthy.sessions where id in (select id from seaworthy.sessions where expires_at < now() - interval '1 day' limit 5000)`,
          ),
        )
        log.info('ended sign-ins removed', { sessions })
      },
    },
  ]
}

const remove = (database: Database, query: ReturnType<typeof sql>): Promise<number> =>
  database.withDuty('janitor', (tx) => tx.run(query))
