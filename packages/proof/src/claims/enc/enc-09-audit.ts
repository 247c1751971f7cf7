import { atLeast, atMost, defineClaim, exactly } from '../../claim.ts'
import { type Asked, askRightly, askWrongly, changes, faultsOf } from '../../rig/audited.ts'
import { runCommand } from '../../rig/command.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Rig } from '../../rig/rig.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongSql } from '../../sabotage.ts'

export const claim = defineClaim({
  id: 'ENC-09',
  says: 'Every change, done or refused, has one audit line with everything in it, sealed within a second; the app cannot alter lines, and what a superuser alters is named',
  answers: ['A1', 'A2', 'A4', 'A5', 'ASVS 16.2.1', 'ASVS 16.3.1', 'ASVS 16.3.2', 'ASVS 16.4.2'],
  witness: 'the document of the API, PostgreSQL as three roles',
  tier: 'full',
  seconds: 40,
  alone: true,
  limits: {
    'changes without a whole line': exactly(0, 'changes'),
    'refusals without a whole line': exactly(0, 'refusals'),
    'slowest seal': atMost(1_000, 'ms'),
    "ways for the app's role to alter lines": exactly(0, 'ways'),
    'tamperings that were not named': exactly(0, 'of 5'),
    'changes that were done': atLeast(12, 'changes'),
  },
  experiment: async (rig) => {
    const stack = await rig.start()
    const [person, operator] = [await stack.newcomer(), await stack.operator()]
    const routes = await changes(stack.url)
    const [admin, app] = [await stack.database('admin'), await stack.database('app')]
    const done = await askRightly(stack, person, routes)
    const refused = []
    for (const route of routes) refused.push(await askWrongly(stack, route, operator.token))
    const faults = [await faultsOf(admin, done), await faultsOf(admin, refused)] as const
    const absent = await withoutLine(admin, [...done, ...refused])
    const slowest = await untilSealed(
      admin,
      [...done, ...refused].filter(({ requestId }) => !absent.has(requestId)),
    )
    const ways = await waysToAlter(app)
    const before = await runCommand(rig, stack, 'audit', 'verify')
    const unnamed = await tamper(rig, stack, admin)
    const after = await runCommand(rig, stack, 'audit', 'verify')
    return {
      measured: {
        'changes without a whole line': faults[0].length,
        'refusals without a whole line': faults[1].length,
        'slowest seal': slowest,
        "ways for the app's role to alter lines": ways.length,
        'tamperings that were not named': unnamed.length,
        'changes that were done': done.filter(({ status }) => status < 300).length,
      },
      met: {
        'every change was done': done.every(({ status }) => status < 300),
        'every wrong request was refused': refused.every(({ status }) => status >= 400 && status < 500),
        'verification found nothing before and after': before.code === 0 && after.code === 0,
      },
      evidence: [
        `${done.length} changes, ${refused.length} refusals on ${routes.length} routes`,
        before.stdout.trim() || before.stderr,
        ...done
          .filter(({ status }) => status >= 300)
          .map((one) => `${one.route.path}: ${one.status} ${JSON.stringify(one.reply)}`),
        ...[...faults[0], ...faults[1], ...ways, ...unnamed].slice(0, 12),
      ],
    }
  },
  sabotages: [
    patch(
      'what is refused before the handler leaves no line',
      'packages/platform/src/http/serve.ts',
      'if (served.route.audit && isWorthALine(exchange, error))',
      'if (served.route.audit && isWorthALine(exchange, error) && !exchange)',
    ),
    patch(
      'lines of changes are left out',
      'packages/platform/src/http/stages/transact.ts',
      'if (route.audit) await recordAudit',
      'if (route.audit && route.transaction === "read") await recordAudit',
    ),
    wrongSql(
      "the app's role may remove lines",
      'grant delete on seaworthy.audit to seaworthy_app; create policy careless on seaworthy.audit for delete to seaworthy_app using (true)',
    ),
    patch(
      'lines are not compared with their seals',
      'packages/platform/src/audit/seal.ts',
      'holds: (seal, line) => isEqual(lineMac(line), seal.lineMac)',
      'holds: (seal, line) => isEqual(lineMac(line), lineMac(line)) && seal.seq > 0',
    ),
    patch(
      'heads are not kept outside the database',
      'packages/platform/src/audit/sealer.ts',
      'await heads.add([...newest.values()])',
      'await heads.add([...newest.values()].slice(newest.size))',
    ),
    patch(
      'seals are made every ten seconds',
      'packages/platform/src/audit/sealer.ts',
      'const TICK_MS = SECOND / 3',
      'const TICK_MS = SECOND * 10',
    ),
  ],
})

/** What has no line at all waits for no seal. */
async function withoutLine(admin: DatabaseClient, asked: readonly Asked[]): Promise<ReadonlySet<string>> {
  const ids = asked.map(({ requestId }) => requestId)
  const { rows } = await admin.query<{ request_id: string }>(
    'select distinct request_id from seaworthy.audit where request_id = any ($1)',
    [ids],
  )
  return new Set(ids.filter((id) => !rows.some((row) => row.request_id === id)))
}

/** How long the slowest line waited for its seal after its answer, by the clock of this machine. */
async function untilSealed(admin: DatabaseClient, asked: readonly Asked[]): Promise<number> {
  const rows = await until(
    'every line has its seal',
    async () => {
      const found = await admin.query<{ request_id: string; sealed_at: Date }>(
        `select a.request_id, s.sealed_at from seaworthy.audit a join seaworthy.audit_seals s on s.line_id = a.id
         where a.request_id = any ($1)`,
        [asked.map(({ requestId }) => requestId)],
      )
      return found.rows.length >= asked.length && found.rows
    },
    30_000,
  )
  const sealed = new Map(rows.map((row) => [row.request_id, row.sealed_at.getTime()]))
  return Math.max(...asked.map(({ requestId, answeredAt }) => (sealed.get(requestId) ?? 0) - answeredAt))
}

/** Statements that must all fail as the role that serves requests. */
async function waysToAlter(app: DatabaseClient): Promise<string[]> {
  const open: string[] = []
  for (const duty of ['none', 'identity', 'janitor', 'operations', 'audit'])
    for (const [table, column] of [
      ['audit', 'action'],
      ['audit_seals', 'mac'],
      ['audit_unsealed', 'id'],
    ])
      for (const statement of [
        `update seaworthy.${table} set ${column} = ${column}`,
        `delete from seaworthy.${table}`,
        `truncate seaworthy.${table}`,
        `alter table seaworthy.${table} disable trigger all`,
        'select * from seaworthy.lines_to_seal(1)',
        `select seaworthy.add_seals('{}', '{}', '{}', '{}', '{}', '{}', now())`,
      ]) {
        await app.query(`begin; set local app.duty = '${duty}'`)
        const outcome = await app.query(statement).then(
          () => 'allowed',
          (error: { code?: string }) => (error.code === '42501' ? 'refused' : error.code),
        )
        await app.query('rollback')
        if (outcome !== 'refused') open.push(`${statement} on duty ${duty}: ${outcome}`)
      }
  return open
}

/** Alters as a superuser, asks, and puts everything back as it was. */
async function tamper(rig: Rig, stack: Stack, admin: DatabaseClient): Promise<string[]> {
  await admin.query(`create schema proof; create table proof.audit as table seaworthy.audit; create table proof.audit_seals as table seaworthy.audit_seals;
    alter table seaworthy.audit_seals drop constraint audit_seals_seq_check; alter table seaworthy.audit disable trigger await_seal`)
  const { rows } = await admin.query<{ chain: string; seq: string; line_id: string }>(
    `select s.* from seaworthy.audit_seals s where chain = (select chain from seaworthy.audit_seals group by chain order by count(*) desc limit 1) order by seq`,
  )
  const [first, second, last] = [rows[0], rows[1], rows.at(-1)]
  if (!first || !second || !last || rows.length < 5) throw new Error('there is no chain to alter')
  const inserted = '01890000-0000-7000-8000-0000000000aa'
  const attempts: readonly (readonly [name: string, sql: string])[] = [
    [
      `CHANGED  chain ${second.chain}, number 2, line ${second.line_id}`,
      `update seaworthy.audit set user_agent = 'x' where id = '${second.line_id}'`,
    ],
    [
      `MISSING  chain ${first.chain}, number 1`,
      `delete from seaworthy.audit where id = '${first.line_id}'; delete from seaworthy.audit_seals where line_id = '${first.line_id}'`,
    ],
    [
      `TRUNCATED  chain ${last.chain}, number ${last.seq}`,
      `delete from seaworthy.audit where id = '${last.line_id}'; delete from seaworthy.audit_seals where line_id = '${last.line_id}'`,
    ],
    [
      `INSERTED  chain ${second.chain}, line ${inserted}`,
      `insert into seaworthy.audit select (jsonb_populate_record(a, '{"id": "${inserted}"}')).* from seaworthy.audit a where id = '${second.line_id}'`,
    ],
    [
      `REORDERED  chain ${second.chain}, number 2`,
      `update seaworthy.audit_seals set seq = -seq where chain = '${second.chain}' and seq in (2, 3); update seaworthy.audit_seals set seq = seq + 5 where chain = '${second.chain}' and seq < 0`,
    ],
  ]
  const unnamed: string[] = []
  for (const [name, sql] of attempts) {
    await admin.query(sql)
    const { code, stdout, stderr } = await runCommand(rig, stack, 'audit', 'verify')
    if (code !== 1 || !stdout.startsWith(name))
      unnamed.push(`${name}: ${code} ${stdout.slice(0, 200)}${stderr.slice(0, 200)}`)
    await admin.query(
      `truncate seaworthy.audit, seaworthy.audit_seals; insert into seaworthy.audit table proof.audit; insert into seaworthy.audit_seals table proof.audit_seals`,
    )
  }
  await admin.query('alter table seaworthy.audit enable trigger await_seal; drop schema proof cascade')
  return unnamed
}
