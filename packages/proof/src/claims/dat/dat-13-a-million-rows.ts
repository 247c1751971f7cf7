import { atMost, defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { doEverything, readEverything } from '../../rig/every-path.ts'
import { applyLoad } from '../../rig/load.ts'
import { fillTables } from '../../rig/many-rows.ts'
import type { Person } from '../../rig/person.ts'
import { noteDurations, notePlans } from '../../rig/plans.ts'
import type { Stack } from '../../rig/stack.ts'
import { quantile, until } from '../../rig/wait.ts'
import { patch, wrongFunction, wrongSql } from '../../sabotage.ts'

const ROWS = 1_000_000
const SCAN_ROWS_MAX = 10_000
const [PER_SECOND, SECONDS] = [20, 10]
const paths = [
  '/api/cosnap/photos',
  '/api/cosnap/runs?state=done',
  '/api/cosnap/runs',
  '/api/cosnap/credits',
  '/api/identity/me',
  '/api/audit?limit=20',
]

export const claim = defineClaim({
  id: 'DAT-13',
  says: 'With a million rows in the tables that people use, no statement of their requests, of operators and of jobs reads a large table from end to end, statements take 10 ms on average and 99 of 100 take less than 100 ms under load; of a table that is cut by month, months ahead are made by themselves and old ones are put aside whole',
  answers: ['D9', 'D10', 'T4'],
  witness: 'plans of the statements that ran (auto_explain), the log of PostgreSQL',
  tier: 'soak',
  seconds: 150,
  alone: true,
  limits: {
    'large tables read from end to end': exactly(0, 'times'),
    'most rows that one access for a person read': atMost(SCAN_ROWS_MAX, 'rows'),
    'mean of a statement under load': atMost(10, 'ms'),
    '99th percentile of a statement under load': atMost(100, 'ms'),
    'months ahead that are missing': exactly(0, 'months'),
    'rows of old months that are gone': exactly(0, 'rows'),
    'old months that are still attached': exactly(0, 'months'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '1' } })
    const admin = await stack.database('admin')
    const [operator, ...people] = [await stack.operator(), await stack.newcomer(), await stack.newcomer()]
    const months = await tendMonths(admin)
    const rows = await fillTables(admin)
    const plans = await notePlans(stack, admin)
    const failures = []
    for (const person of people) failures.push(...(await readEverything(stack, person)))
    await doEverything(stack)
    const most = [...plans.scans()].sort((one, other) => other.rows - one.rows)
    failures.push(...(await readEverything(stack, operator)))
    const [scans, statements] = [plans.scans(), plans.statements()]
    const large = scans.filter(({ kind, rows: read }) => kind === 'Seq Scan' && read > SCAN_ROWS_MAX)
    const durations = await noteDurations(stack, admin)
    const statuses = await load(stack, people)
    const all = durations()
    return {
      measured: {
        'large tables read from end to end': large.length,
        'most rows that one access for a person read': most[0]?.rows ?? Number.NaN,
        'mean of a statement under load': all.reduce((sum, ms) => sum + ms, 0) / all.length,
        '99th percentile of a statement under load': quantile(all, 0.99),
        ...months.measured,
      },
      met: {
        ...months.met,
        'there were a million rows': rows >= ROWS,
        'more than a hundred different statements ran': statements > 100,
        'nine of ten requests of the load were answered': (statuses['200'] ?? 0) >= PER_SECOND * SECONDS * 0.9,
        'nothing failed': failures.length === 0,
      },
      evidence: [
        `${rows} rows, ${statements} different statements, ${scans.length} accesses of tables, ${all.length} steps under load, answers ${JSON.stringify(statuses)}`,
        ...failures.slice(0, 3),
        ...[...large, ...most]
          .slice(0, 9)
          .map(
            ({ rows: read, kind, table, statement }) => `${read} rows, ${kind} of ${table}: ${statement.slice(0, 300)}`,
          ),
      ],
    }
  },
  sabotages: [
    wrongSql('an index for a list was dropped', 'drop index cosnap.runs_account'),
    wrongSql('the index for signing in was dropped', 'drop index seaworthy.users_email'),
    patch(
      'nobody makes months ahead',
      'packages/platform/src/boot/database-care.ts',
      'run: () => tendMonths(parts)',
      'run: () => Promise.resolve(void parts)',
    ),
    wrongFunction(
      'old months are removed',
      'seaworthy.archive_partitions(text)',
      'alter table %I.%I set schema %I',
      'drop table %I.%I',
    ),
  ],
})

const load = async (stack: Stack, people: readonly Person[]): Promise<Readonly<Record<string, number>>> => {
  const { statuses } = await applyLoad({
    perSecond: PER_SECOND,
    seconds: SECONDS,
    request: (n) => ({
      url: `${stack.url}${paths[n % paths.length]}`,
      headers: { authorization: `Bearer ${people[n % people.length]?.token}` },
    }),
  })
  return statuses
}

const [AHEAD, KEPT, OLD, OLD_ROWS] = [2, 12, 3, 50]

/** A table as an app makes it whose rows only grow, used for longer than it keeps; the schedule comes once. */
async function tendMonths(admin: DatabaseClient) {
  await admin.query(`
    set role seaworthy_owner;
    create schema proof;
    create table proof.visits (id uuid not null default uuidv7(), account_id uuid not null, created_at timestamptz not null, primary key (id, created_at)) partition by range (created_at);
    call seaworthy.protect('proof.visits', 'seaworthy_app', 'account_id', 'select, insert');
    call seaworthy.partition_by_month('proof.visits', ahead => 1, keep => ${KEPT}, since => now() - interval '${KEPT + OLD} months');
    update seaworthy.partitioned_tables set ahead = ${AHEAD} where name = 'proof.visits';
    insert into proof.visits (account_id, created_at)
      select uuidv7(), date_trunc('month', now()) - m * interval '1 month' + interval '1 day'
      from generate_series(0, ${KEPT + OLD}) m, generate_series(1, ${OLD_ROWS});
    reset role`)
  const monthsOf = async (schema: string): Promise<string[]> => {
    const { rows } = await admin.query<{ name: string }>(
      `select relname as name from pg_class where relnamespace = to_regnamespace($1) and relkind = 'r' and relname ~ '\\d$' order by 1`,
      [schema],
    )
    return rows.map(({ name }) => name)
  }
  const before = await monthsOf('proof')
  await admin.query("select graphile_worker.add_job('platform.make-partitions', job_key := 'proof')")
  await until('the schedule has run', async () => {
    const { rows } = await admin.query("select 1 from graphile_worker._private_jobs where key = 'proof'")
    return rows.length === 0
  })
  const [attached, archived] = [await monthsOf('proof'), await monthsOf('proof_archive')]
  const inArchive = archived.length
    ? (
        await admin.query<{ n: number }>(
          archived.map((name) => `select count(*)::int as n from proof_archive.${name}`).join(' union all '),
        )
      ).rows
    : []
  const now = new Date()
  const last = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + AHEAD))
    .toISOString()
    .slice(0, 7)
    .replace('-', '_')
  return {
    measured: {
      'months ahead that are missing': attached.includes(`visits_${last}`) ? 0 : 1,
      'rows of old months that are gone': OLD * OLD_ROWS - inArchive.reduce((sum, { n }) => sum + n, 0),
      'old months that are still attached': Math.max(0, attached.length - (KEPT + 1 + AHEAD)),
    },
    met: { 'there were old months, and one ahead was missing': before.length === KEPT + OLD + 2 },
  }
}
