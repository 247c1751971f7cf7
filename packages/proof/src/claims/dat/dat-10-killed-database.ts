import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Arrivals, startArrivals } from '../../rig/arrivals.ts'
import { giveCredits } from '../../rig/credits.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, type Run, startRun, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch, wrongSql } from '../../sabotage.ts'

const KILLS = 5
const PER_SECOND = 25
const STUCK_MS = 10_000

export const claim = defineClaim({
  id: 'DAT-10',
  says: 'The embedded database is killed five times under load: every acknowledged write is there, writes go on within five seconds, and repeating a request with its key settles what got no answer',
  answers: ['D9', 'H14', 'S2'],
  witness: 'kill -9, PostgreSQL',
  tier: 'full',
  seconds: 25,
  alone: true,
  limits: {
    'acknowledged writes missing': exactly(0, 'writes'),
    'writes done twice or not at all': exactly(0, 'writes'),
    'longest time until a write is acknowledged again': atMost(5_000, 'ms'),
    'requests stuck for more than 10 s': exactly(0, 'requests'),
  },
  experiment: async (rig) => {
    const stack = await rig.start({ environment: { WORKER_PROCESSES: '0' } })
    const person = await stack.newcomer()
    await giveCredits(await stack.database('admin'), person, 100_000)
    const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
    const [keys, acknowledged] = [new Set<string>(), new Map<string, string>()]
    const writing = startArrivals(PER_SECOND, async (index) => {
      const key = `kill-${index}`
      keys.add(key)
      const id = await write(person, photoId, key)
      if (id) acknowledged.set(key, id)
      return id !== undefined
    })
    const marks: { atMs: number; label: string }[] = []
    const recoveries: number[] = []
    for (let kill = 1; kill <= KILLS; kill++) {
      await sleep(700 + rig.random() * 800)
      marks.push({ atMs: writing.now(), label: `kill -9 ${kill}` })
      recoveries.push(await killDatabase(stack, writing))
    }
    await writing.stop()
    const missing = await countMissing(stack, person, [...acknowledged.values()])
    const unclear = [...keys].filter((key) => !acknowledged.has(key))
    for (const key of keys) {
      const id = await until('the repeated write is answered', () => write(person, photoId, key))
      if ((acknowledged.get(key) ?? id) !== id) missing.add(key)
    }
    return {
      measured: {
        'acknowledged writes missing': missing.size,
        'writes done twice or not at all': Math.abs((await countWrites(stack, person)) - keys.size),
        'longest time until a write is acknowledged again': Math.max(...recoveries),
        'requests stuck for more than 10 s': writing.samples.filter(({ ms }) => ms > STUCK_MS).length,
      },
      met: {
        'the database was killed each time and another one came': recoveries.length === KILLS,
        'writes had no clear answer while it was gone': unclear.length > 0,
        'writes were acknowledged between the kills': acknowledged.size > PER_SECOND,
      },
      run: { samples: writing.samples, marks },
      evidence: [
        `${keys.size} writes, ${acknowledged.size} acknowledged, ${unclear.length} repeated with their keys`,
        `acknowledged again after ${recoveries.map((ms) => `${Math.round(ms)} ms`).join(', ')}`,
        ...[...missing].map((id) => `missing: ${id}`),
      ].slice(0, 12),
    }
  },
  sabotages: [
    wrongSql(
      'a write is acknowledged before it is on the disk',
      'alter role seaworthy_app set synchronous_commit = off; select pg_terminate_backend(pid) from pg_stat_activity where usename = $$seaworthy_app$$',
    ),
    patch(
      'a database that ended is started again late',
      'packages/platform/src/boot/kept-server.ts',
      "if (failures === 0) log.error('the database ended and is started again', { runbook: 'database-gone' })",
      "if (failures === 0) log.error('the database ended and is started again', { runbook: 'database-gone' })\n      await pause(6 * SECOND, signal)",
    ),
    patch(
      'a key that was used before is not remembered',
      'packages/platform/src/http/stages/idempotency.ts',
      'if (taken === 0) return replay(await readStored(tx, key), template, hash)',
      '',
    ),
  ],
})

/** The id of the effect that was acknowledged, or undefined when there was no good answer. */
async function write(person: Person, photoId: string, key: string): Promise<string | undefined> {
  try {
    const response = await startRun(person, photoId, 'noir', key)
    const body = (await response.json()) as Run
    return response.status === 202 ? body.id : undefined
  } catch {
    return undefined
  }
}

/** Until a write that began after the kill is acknowledged. */
async function killDatabase(stack: Stack, writing: Arrivals): Promise<number> {
  const [before] = await stack.pids('database')
  const killedAt = writing.now()
  await stack.signal('database', 'SIGKILL')
  const first = await until(
    'a write is acknowledged again',
    () => writing.samples.find((sample) => sample.ok && sample.atMs > killedAt),
    30_000,
  )
  const [after] = await stack.pids('database')
  if (after === before) throw new Error('the killed database still answers')
  return first.atMs + first.ms - killedAt
}

async function countMissing(stack: Stack, person: Person, ids: readonly string[]): Promise<Set<string>> {
  const { rows } = await (await stack.database('admin')).query<{ id: string }>(
    'select r.id from cosnap.runs r join seaworthy.ledger l on l.id = r.hold_id join seaworthy.jobs j on j.id = r.job_id where r.account_id = $1',
    [person.accountId],
  )
  const kept = new Set(rows.map((row) => row.id))
  return new Set(ids.filter((id) => !kept.has(id)))
}

async function countWrites(stack: Stack, person: Person): Promise<number> {
  const { rows } = await (await stack.database('admin')).query<{ count: number }>(
    'select count(*)::int as count from cosnap.runs where account_id = $1',
    [person.accountId],
  )
  return rows[0]?.count ?? Number.NaN
}
