import { atMost, defineClaim, exactly } from '../../claim.ts'
import { runCommand } from '../../rig/command.ts'
import { startCountedWrites } from '../../rig/counted-writes.ts'
import { type DatabaseClient, openClient } from '../../rig/database.ts'
import { type GraduationRun, runGraduation } from '../../rig/graduating.ts'
import { startOtherServer } from '../../rig/other-server.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const PER_SECOND = 8
const ROOM = 'packages/platform/src/graduation'

export const claim = defineClaim({
  id: 'DAT-15',
  says: 'Under load the database moves from the embedded server to another one and back: every acknowledged write is there once with its job, credits and audit line, nobody waits longer than a few seconds, and the database that was left takes no write',
  answers: ['D1', 'D9'],
  witness: 'PostgreSQL: a second server, and a client that remembers what was acknowledged',
  tier: 'soak',
  seconds: 60,
  alone: true,
  limits: {
    'moves that failed': exactly(0, 'of 2'),
    'acknowledged writes missing': exactly(0, 'writes'),
    'writes done twice or not at all': exactly(0, 'writes'),
    'longest pause': atMost(5_000, 'ms'),
    'longest time without an acknowledged write': atMost(20_000, 'ms'),
    'writes that a database took that was left': exactly(0, 'of 2'),
    'starts of a database that was left': exactly(0, 'starts'),
    'sequences that stand further back': exactly(0, 'sequences'),
    'audit chains broken': exactly(0, 'chains'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const server = await startOtherServer(rig, stack)
    const writes = await startCountedWrites(stack, PER_SECOND)
    await until('writes are acknowledged', () => writes.acknowledged.size > PER_SECOND)
    const beganMs = writes.now()
    const embedded = await stack.database('admin')
    const standing = await sequencesOf(embedded)
    const away = await runGraduation(rig, stack, ['--to', server.address()])
    const moved = await uses(stack, server.address())
    await writes.writeOne().catch(() => undefined)
    const between = writes.acknowledged.size
    const back = moved ? await runGraduation(rig, stack, ['--back']) : undefined
    await writes.writeOne().catch(() => undefined)
    const gapMs = writes.longestGap(beganMs)
    const settled = await writes.settle()
    const later = await sequencesOf(await stack.database('admin'))
    const runs = [away, ...(back ? [back] : [])]
    const left = await tryOld(server.address())
    const audit = await runCommand(rig, stack, 'audit', 'verify')
    return {
      measured: {
        'moves that failed': 2 - runs.filter(({ code }) => code === 0).length,
        'acknowledged writes missing': settled.missing.length,
        'writes done twice or not at all': settled.wrong,
        'longest pause': Math.max(0, ...runs.map(({ pauseMs }) => pauseMs || 0)),
        'longest time without an acknowledged write': gapMs,
        'writes that a database took that was left': left + (await tryPutAside(stack)),
        'starts of a database that was left': await startOn(rig, server.address()),
        'sequences that stand further back': [...standing].filter(([name, at]) => (later.get(name) ?? 0) < at).length,
        'audit chains broken': audit.code === 0 ? 0 : 1,
      },
      met: {
        'writes were acknowledged before, between and after': between > PER_SECOND && settled.keys > between,
        'sequences had moved': [...standing.values()].some((at) => at > 1),
      },
      run: { samples: writes.samples, marks: [{ atMs: beganMs, label: 'graduate' }] },
      evidence: [
        `${settled.keys} writes, ${writes.acknowledged.size} acknowledged at once`,
        ...runs.map(describe),
        ...settled.missing.slice(0, 5).map((id) => `missing: ${id}`),
        audit.stdout.slice(-200),
      ],
    }
  },
  sabotages: [
    patch(
      'nobody is kept from writing while it is changed over',
      `${ROOM}/pause.ts`,
      'in exclusive mode`',
      'in access share mode`',
    ),
    patch('what is written while it is copied is not followed', `${ROOM}/feed.ts`, 'readChange(data) ?? []', '[]'),
    patch(
      'sequences begin anew',
      `${ROOM}/tables.ts`,
      "await to.query('select setval($1::text::regclass, $2::text::bigint, $3)', [name, value, called])",
      "await to.query('select $1::text, $2::text, $3::boolean', [name, value, called])",
    ),
    patch(
      'the database that was left goes on taking writes',
      'packages/platform/src/data/moves.ts',
      'set default_transaction_read_only = on`',
      'set default_transaction_read_only = off`',
    ),
  ],
})

const describe = ({ code, pauseMs, output }: GraduationRun): string =>
  `ended with ${code}, nobody wrote for ${pauseMs} ms${code === 0 ? '' : `: ${output.slice(-400)}`}`

/** Whether the product works with that server now. */
const uses = (stack: Stack, address: string): Promise<boolean> =>
  until(
    'the product uses the other server',
    async () => {
      const status = (await (await fetch(`${stack.adminUrl}/health`)).json()) as { database: string }
      return status.database.includes(new URL(address).host)
    },
    30_000,
  ).catch(() => false)

async function sequencesOf(client: DatabaseClient): Promise<Map<string, number>> {
  const { rows } = await client.query<{ name: string; at: string }>(
    `select schemaname || '.' || sequencename as name, coalesce(last_value, 0)::text as at from pg_sequences`,
  )
  return new Map(rows.map(({ name, at }) => [name, Number(at)]))
}

/** 1 when somebody who does not ask for it explicitly can write there. */
async function tryOld(address: string): Promise<number> {
  const client = await openClient(address)
  try {
    return await client.query('create table public.written (id int)').then(
      () => 1,
      () => 0,
    )
  } finally {
    await client.end()
  }
}

/** The database that was embedded before everything came back is kept beside it. */
async function tryPutAside(stack: Stack): Promise<number> {
  const admin = await stack.database('admin')
  const { rows } = await admin.query<{ name: string }>(
    `select datname as name from pg_database where datname like 'seaworthy_before_%'`,
  )
  const { host, port, user, password } = admin
  const [kept] = rows
  return kept ? tryOld(`postgresql://${user}:${encodeURIComponent(password ?? '')}@${host}:${port}/${kept.name}`) : 0
}

/** 1 when the product starts there. */
async function startOn(rig: Rig, address: string): Promise<number> {
  const stack = await rig.launch({ environment: { DATABASE_URL: address, WORKER_PROCESSES: '0' } })
  return stack.ready(60_000).then(
    () => 1,
    () => 0,
  )
}
