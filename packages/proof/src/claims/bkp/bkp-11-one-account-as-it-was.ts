import { defineClaim, exactly } from '../../claim.ts'
import { runCommand } from '../../rig/command.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { forgetUnused, historianOf, instantNow, looksOf, mergesOf, seePhotos } from '../../rig/past.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, untilIdle, uploadPhoto } from '../../rig/photo.ts'
import { openGuarded } from '../../rig/recovery.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'regatta-of-nobody'

export const claim = defineClaim({
  id: 'BKP-11',
  says: 'One account is brought back as it was at an instant, beside the service that runs: what was deleted is there again with its files, what came or was changed since stays, no row of anybody else and no line of the ledger changes, and it can be undone',
  answers: ['B9', 'Z10'],
  witness:
    'PostgreSQL: hashes of all rows of another account, the lines of the ledger; the pictures as their owner sees them',
  needs: ['restic'],
  tier: 'full',
  seconds: 60,
  limits: {
    'commands that failed': exactly(0, 'commands'),
    'photos of then that are missing or look otherwise': exactly(0, 'photos'),
    'rows of then that differ': exactly(0, 'rows'),
    'files that nobody keeps': exactly(0, 'files'),
    'rows of since that are gone or changed': exactly(0, 'rows'),
    'tables in which rows of others changed': exactly(0, 'tables'),
    'lines of the ledger that changed': exactly(0, 'lines'),
    'credits that the books are short of': exactly(0, 'credits'),
    'names that were shown': exactly(0, 'names'),
    'chains of the audit that do not hold': exactly(0, 'chains'),
    'databases of the past that are left': exactly(0, 'databases'),
    'photos that undoing leaves': exactly(0, 'photos'),
  },
  experiment: async (rig) => {
    const { stack, admin, store, backUp, archived } = await openGuarded(rig, { WORKER_PROCESSES: '1' })
    const [person, other] = [await stack.newcomer(), await stack.newcomer()]
    const [lost, changed] = [await withEffect(person, 96), await withEffect(person, 97)]
    const deleted = await uploadPhoto(other, await jpegPhoto(98, 64), `${NAME}.jpg`)
    await uploadPhoto(other, await jpegPhoto(99, 64), `${NAME}.jpg`)
    await backUp()
    const late = await uploadPhoto(person, await jpegPhoto(100, 64), `${NAME}.jpg`)
    const at = await instantNow(admin)
    const [then, rowsThen] = [await seePhotos(stack, person), await rowsOf(admin, person)]
    for (const id of [lost, late]) await person.fetch(`/api/cosnap/photos/${id}`, { method: 'DELETE' })
    await other.fetch(`/api/cosnap/photos/${deleted}`, { method: 'DELETE' })
    const forgotten = await forgetUnused(admin, stack, person)
    await admin.query("update cosnap.runs set engine = 'another one' where photo_id = $1", [changed])
    const newer = await uploadPhoto(person, await jpegPhoto(101, 64), `${NAME}.jpg`)
    await archived()
    const [without, others, ledger] = [
      await seePhotos(stack, person),
      await looksOf(admin, other),
      await ledgerOf(admin),
    ]
    const historian = historianOf(rig, stack, store)
    const brought = await historian.restore('--account', person.email, '--to', at, '--yes')
    const [now, rowsNow] = [await seePhotos(stack, person), await rowsOf(admin, person)]
    const [othersNow, ledgerNow] = [await looksOf(admin, other), await ledgerOf(admin)]
    const unkept = await countUnkept(admin, person)
    const verified = await runCommand(rig, stack, 'audit', 'verify')
    const undone = await historian.restore('--undo', mergesOf(stack)[0] ?? 'none')
    const [after, runs] = [await seePhotos(stack, person), [brought, undone]]
    return {
      measured: {
        'commands that failed': runs.filter(({ code }) => code !== 0).length,
        'photos of then that are missing or look otherwise': [lost, late, changed].filter((id) => now[id] !== then[id])
          .length,
        'rows of then that differ': rowsThen.filter(
          ({ photo, row }) => photo !== changed && !rowsNow.some((one) => one.row === row),
        ).length,
        'files that nobody keeps': unkept,
        'rows of since that are gone or changed':
          Number(now[newer] !== without[newer]) +
          Number(!rowsNow.some(({ photo, row }) => photo === changed && row.includes('another one'))),
        'tables in which rows of others changed': differing(Object.entries(others), Object.entries(othersNow)),
        'lines of the ledger that changed': differing(ledger.lines, ledgerNow.lines),
        'credits that the books are short of': Math.abs(ledgerNow.sum),
        'names that were shown': runs.filter(({ stdout, stderr }) => `${stdout}${stderr}`.includes(NAME)).length,
        'chains of the audit that do not hold': verified.code === 0 ? 0 : 1,
        'databases of the past that are left': historian.leftovers().length,
        'photos that undoing leaves': [lost, late].filter((id) => after[id] !== undefined).length,
      },
      met: {
        'two photos were deleted, and their files forgotten': !without[lost] && !without[late] && forgotten >= 3,
        'somebody else deleted one, too': deleted !== '' && Object.keys(await seePhotos(stack, other)).length === 1,
        'what came since is still there after the undoing': after[newer] === without[newer],
      },
      evidence: [
        at,
        ...runs.flatMap(({ stdout, stderr }) => [stdout, stderr.slice(-600)]),
        verified.stdout.slice(-300),
      ],
    }
  },
  sabotages: [
    patch(
      'everybody is brought back with the account',
      'packages/platform/src/past/difference.ts',
      `const seen = await lookAtBoth(sides, account, async (past, live) => {
    const found: TableDifference[] = []
    for (const table of tables)
      found.push(await findTableDifference({ past, live, vaults }, table, account ? ofAccount : ofEverybody))`,
      `const seen = await lookAtBoth(sides, undefined, async (past, live) => {
    const found: TableDifference[] = []
    for (const table of tables) found.push(await findTableDifference({ past, live, vaults }, table, ofEverybody))`,
    ),
    patch(
      'what was changed since is overwritten without a word',
      'packages/platform/src/past/merge.ts',
      "row.kind === 'changed' && !takePast",
      "row.kind === 'changed' && takePast",
    ),
    patch(
      'rows come back, and nobody keeps their files',
      'packages/platform/src/past/merge.ts',
      'await parts.media.media.keep(tx, hash, owner)',
      'await Promise.resolve([hash, owner])',
    ),
    patch(
      'the past is what the base has, whatever came after it',
      'packages/platform/src/recovery/restore.ts',
      "if (target.kind === 'time') return { time: target.time",
      "if (target.kind === 'time') return { time: new Date(plan.point.from)",
    ),
  ],
})

/** How many are on one side only. */
function differing(before: readonly unknown[], after: readonly unknown[]): number {
  const [left, right] = [before.map((one) => JSON.stringify(one)), after.map((one) => JSON.stringify(one))]
  return [...left.filter((one) => !right.includes(one)), ...right.filter((one) => !left.includes(one))].length
}

/** A photo with an effect that is done. */
async function withEffect(person: Person, width: number): Promise<string> {
  const id = await uploadPhoto(person, await jpegPhoto(width, 64), `${NAME}.jpg`)
  await startRun(person, id)
  await untilIdle(person)
  return id
}

/** Without names, which are sealed again each time. */
async function rowsOf(admin: DatabaseClient, { accountId }: Person) {
  const { rows } = await admin.query<{ photo: string; row: string }>(
    `select id as photo, (to_jsonb(p) - 'name')::text as row from cosnap.photos p where account_id = $1
     union all select photo_id, r::text from cosnap.runs r where account_id = $1
     union all select p.id, r.hash || r.owner from seaworthy.blob_references r join cosnap.photos p on r.owner = 'cosnap.photo:' || p.id where r.account_id = $1`,
    [accountId],
  )
  return rows
}

async function ledgerOf(admin: DatabaseClient): Promise<{ lines: readonly string[]; sum: number }> {
  const { rows } = await admin.query<{ line: string }>('select l::text as line from seaworthy.ledger l')
  const { rows: sums } = await admin.query<{ sum: number }>(
    `select coalesce(sum(change), 0)::int as sum from (select to_book as book, amount as change from seaworthy.ledger
     union all select from_book, -amount from seaworthy.ledger) moves`,
  )
  return { lines: rows.map(({ line }) => line), sum: sums[0]?.sum ?? Number.NaN }
}

/** Files of photos and of effects that nobody refers to: the janitor would remove them within a day. */
async function countUnkept(admin: DatabaseClient, { accountId }: Person): Promise<number> {
  const { rows } = await admin.query<{ count: number }>(
    `select count(*)::int as count from (select hash from cosnap.photos where account_id = $1
       union select result_hash from cosnap.runs where account_id = $1 and result_hash is not null) used
     where not exists (select 1 from seaworthy.blobs b join seaworthy.blob_references r using (account_id, hash)
       where b.account_id = $1 and b.hash = used.hash and b.unused_since is null)`,
    [accountId],
  )
  return rows[0]?.count ?? 0
}
