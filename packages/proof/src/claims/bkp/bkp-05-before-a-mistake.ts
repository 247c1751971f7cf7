import { defineClaim, exactly } from '../../claim.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import type { Person } from '../../rig/person.ts'
import { openGuarded } from '../../rig/recovery.ts'
import type { Stack } from '../../rig/stack.ts'
import { patch } from '../../sabotage.ts'

const ROWS = 2_000

export const claim = defineClaim({
  id: 'BKP-05',
  says: 'After a DELETE without WHERE and the loss of the machine, the instant before it is restored on an empty machine from store and recovery kit alone: every row is as it was, and people stay signed in',
  answers: ['B1', 'B6', 'B7', 'Z5'],
  witness: 'PostgreSQL: the hash of all rows, asked before and after',
  needs: ['restic'],
  tier: 'full',
  seconds: 40,
  limits: {
    'restores that failed': exactly(0, 'restores'),
    'rows missing': exactly(0, 'rows'),
    'hashes of all rows that differ': exactly(0, 'hashes'),
    'rows from after the instant': exactly(0, 'rows'),
    'people who cannot sign in': exactly(0, 'people'),
    'sign-ins that ended': exactly(0, 'sign-ins'),
  },
  experiment: async (rig) => {
    const { stack, admin, backUp, archived, destroy, restore } = await openGuarded(rig)
    const person = await stack.newcomer()
    await admin.query('create table public.kept (id int primary key, words text not null)')
    await write(admin, 1, ROWS / 2)
    await backUp()
    await write(admin, ROWS / 2 + 1, ROWS)
    const before = await ask(admin)
    // Of whole milliseconds, as people name one: after the writes, and over before the mistake.
    const { rows } = await admin.query<{ at: Date }>(
      "select date_trunc('milliseconds', clock_timestamp() + interval '1 ms') as at, pg_sleep(0.002)",
    )
    const { rowCount } = await admin.query('delete from public.kept')
    await write(admin, ROWS + 1, ROWS + 10)
    await archived()
    await destroy()
    const recovered = await restore(rows[0]?.at.toISOString() ?? '')
    const machine = recovered.code === 0 ? await recovered.start() : undefined
    const after = machine ? await ask(await machine.database('admin')) : { count: 0, last: 0, hash: '' }
    const isIn = await machine?.signIn(person).then(
      () => true,
      () => false,
    )
    const renewed = machine && (await renewSignIn(machine, person))
    return {
      measured: {
        'restores that failed': recovered.code === 0 ? 0 : 1,
        'rows missing': Math.max(0, ROWS - after.count),
        'hashes of all rows that differ': after.hash === before.hash ? 0 : 1,
        'rows from after the instant': Math.max(0, after.last - ROWS),
        'people who cannot sign in': isIn ? 0 : 1,
        'sign-ins that ended': renewed === 200 ? 0 : 1,
      },
      met: {
        'all rows were there before': before.count === ROWS,
        'all rows were deleted': rowCount === ROWS,
      },
      evidence: [recovered.stdout, recovered.stderr.slice(-600)],
    }
  },
  sabotages: [
    patch(
      'everything is replayed, whatever the instant',
      'packages/platform/src/recovery/restore.ts',
      "if (target.kind === 'time') return",
      "if (target.kind === 'time' && target.time.getTime() === 0) return",
    ),
    patch(
      'only the base is restored, and what came after it is not asked for',
      'packages/platform/src/recovery/restore.ts',
      "if (target.kind === 'time') return { time: target.time",
      "if (target.kind === 'time') return { time: new Date(plan.point.from)",
    ),
    patch(
      'secrets are no part of a recovery point',
      'packages/platform/src/recovery/kept-files.ts',
      'for (const [key, name] of Object.entries(NAMES)) {',
      "for (const path of [...files.keys()]) if (!path.endsWith('ADMIN_PASSWORD')) files.delete(path)\n  for (const [key, name] of Object.entries({} as typeof NAMES)) {",
    ),
  ],
})

/** As a browser does that was open before: signed with a secret that stands in no table. */
async function renewSignIn({ url }: Stack, { cookie }: Person): Promise<number> {
  const { status } = await fetch(`${url}/api/identity/refresh`, { method: 'POST', headers: { cookie } })
  return status
}

const write = (admin: DatabaseClient, from: number, to: number): Promise<unknown> =>
  admin.query('insert into public.kept select i, md5(random()::text) from generate_series($1::int, $2::int) i', [
    from,
    to,
  ])

async function ask(admin: DatabaseClient): Promise<{ count: number; last: number; hash: string }> {
  const { rows } = await admin.query<{ count: number; last: number; hash: string }>(
    "select count(*)::int as count, coalesce(max(id), 0) as last, coalesce(md5(string_agg(id || words, ',' order by id)), '') as hash from public.kept",
  )
  return rows[0] ?? { count: 0, last: 0, hash: '' }
}
