import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { atLeast, defineClaim, exactly } from '../../claim.ts'
import { type DatabaseClient, openClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import { makeOwnCopy } from '../../rig/own-copy.ts'
import { type Stack, statusOf } from '../../rig/stack.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const INSTANCES = 5
const NAME = 'proof_together'
const STEP_MS = 100

/** Takes far longer than a start does on this machine today, and says how often it ran. */
const slowMigration = (startMs: number): string => `create table if not exists cosnap.proof (at timestamptz not null);
alter table cosnap.proof enable row level security;
alter table cosnap.proof force row level security;
drop policy if exists owner on cosnap.proof;
create policy owner on cosnap.proof to current_user using (true) with check (true);
insert into cosnap.proof values (clock_timestamp());
select pg_sleep(${Math.min(15, Math.max(3, (4 * startMs) / 1_000))});
`

export const claim = defineClaim({
  id: 'DAT-01',
  says: 'Five instances that start together on one empty database apply each migration once, serve nothing before the last one is done, and all come up',
  answers: ['D1', 'S4'],
  witness: 'five processes, one PostgreSQL',
  tier: 'full',
  seconds: 30,
  limits: {
    'requests served before the last migration was done': exactly(0, 'requests'),
    'times the migration ran': exactly(1, 'times'),
    'instances that came up': atLeast(INSTANCES, 'instances'),
  },
  experiment: async (rig) => {
    const { value: stack, ms } = await timed(() =>
      rig.start({ environment: { WORKER_PROCESSES: '0', DB_POOL_MAX: '60' } }),
    )
    const admin = await stack.database('admin')
    const copy = makeOwnCopy(rig)
    writeFileSync(join(copy.product, 'apps/cosnap/migrations/9001-proof.sql'), slowMigration(ms))
    const settings = onServer(admin, NAME)
    await admin.query(`create database ${NAME}`)
    const watch = async (): Promise<DatabaseClient> => {
      const client = await openClient(settings.DATABASE_URL ?? '')
      rig.defer(() => client.end())
      return client
    }
    const instances = await Promise.all(Array.from({ length: INSTANCES }, () => copy.launch(settings)))
    const polls = await Promise.all(instances.map(async (instance) => pollUntilMigrated(instance, await watch())))
    const up = await Promise.all(instances.map((instance) => comesUp(instance)))
    const { rows } = await (await watch()).query<{ times: number }>('select count(*)::int as times from cosnap.proof')
    return {
      measured: {
        'requests served before the last migration was done': sum(polls.map((poll) => poll.early)),
        'times the migration ran': rows[0]?.times ?? Number.NaN,
        'instances that came up': up.filter(Boolean).length,
      },
      met: {
        'every instance was asked while the migration ran': polls.every((poll) => poll.asked > 3),
      },
      evidence: [
        `${sum(polls.map((poll) => poll.asked))} requests before it was done`,
        ...instances.flatMap((instance) => (instance.exit() ? [instance.output().slice(-300)] : [])),
      ],
    }
  },
  sabotages: [
    patch(
      'each instance prepares the database without taking a lock',
      'packages/platform/src/data/drivers/pg.ts',
      'await client.connect()',
      `await client.connect()
  const query = client.query.bind(client) as (...all: unknown[]) => unknown
  client.query = ((text: unknown, ...rest: unknown[]) =>
    query(typeof text === 'string' ? text.replace('pg_try_advisory_lock($1::bigint)', '$1::bigint is not null') : text, ...rest)) as never`,
    ),
    patch(
      'migrations of an app are not waited for',
      'packages/platform/src/boot/prepare-database.ts',
      'const applied = await migrateToLatestOrThrow(endpoint, admin, secret, [platformMigrations, ...sources])',
      `const applied = await migrateToLatestOrThrow(endpoint, admin, secret, [platformMigrations])
  void migrateToLatestOrThrow(endpoint, admin, secret, sources).catch(() => undefined)`,
    ),
  ],
})

const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0)

/** Asks and then looks: what is served now, though the migration is not there even afterwards, came too early. */
async function pollUntilMigrated(instance: Stack, watcher: DatabaseClient) {
  const polls = { asked: 0, early: 0 }
  await until(
    'the migration is done',
    async () => {
      const served = (await statusOf(`${instance.url}/health/ready`, 500)) === 200
      if (await isMigrated(watcher)) return true
      polls.asked++
      if (served) polls.early++
      await sleep(STEP_MS)
      return false
    },
    90_000,
  )
  return polls
}

async function isMigrated(watcher: DatabaseClient): Promise<boolean> {
  const { rows } = await watcher.query<{ there: boolean }>(`select to_regclass('cosnap.proof') is not null as there`)
  return rows[0]?.there ?? false
}

const comesUp = (instance: Stack): Promise<boolean> =>
  instance.ready(90_000).then(
    () => true,
    () => false,
  )
