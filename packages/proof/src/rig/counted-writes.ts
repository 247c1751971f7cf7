import { type Arrivals, startArrivals } from './arrivals.ts'
import { giveCredits } from './credits.ts'
import type { Person } from './person.ts'
import { jpegPhoto, type Run, startRun, uploadPhoto } from './photo.ts'
import type { Stack } from './stack.ts'
import { until } from './wait.ts'

/** Somebody who writes all the time and remembers what was acknowledged: an effect, its job, its credits and an audit line each. */
interface CountedWrites extends Arrivals {
  readonly acknowledged: ReadonlyMap<string, string>
  /** One now. Throws when none is acknowledged in time. */
  writeOne(deadlineMs?: number): Promise<void>
  /** Acknowledged writes that are not whole in the database that counts now, and how many were done twice or not at all. */
  settle(): Promise<{ readonly missing: readonly string[]; readonly wrong: number; readonly keys: number }>
  /** The longest time between two acknowledged writes since a moment, in milliseconds. */
  longestGap(sinceMs: number): number
}

export async function startCountedWrites(stack: Stack, perSecond: number): Promise<CountedWrites> {
  const person = await stack.newcomer()
  await giveCredits(await stack.database('admin'), person, 1_000_000)
  const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
  const [keys, acknowledged] = [new Set<string>(), new Map<string, string>()]
  const write = async (key: string): Promise<boolean> => {
    keys.add(key)
    const id = await writeWith(person, photoId, key)
    if (id) acknowledged.set(key, id)
    return id !== undefined
  }
  const writing = startArrivals(perSecond, (index) => write(`counted-${index}`))
  let extra = 0
  return {
    ...writing,
    acknowledged,
    writeOne: async (deadlineMs = 60_000) => {
      const key = `counted-extra-${++extra}`
      await until('a write is acknowledged', () => write(key), deadlineMs)
    },
    longestGap: (sinceMs) => {
      const ends = writing.samples.filter(({ ok }) => ok).map(({ atMs, ms }) => atMs + ms)
      const sorted = [sinceMs, ...ends.filter((end) => end > sinceMs)].sort((a, b) => a - b)
      return Math.max(...sorted.map((end, i) => end - (sorted[i - 1] ?? end)))
    },
    settle: async () => {
      await writing.stop()
      const first = new Map(acknowledged)
      const missing: string[] = await notThere(stack, person, [...first.values()])
      for (const key of keys) {
        // The same request again: an answer of before, or what was not done yet.
        const id = await until('the repeated write is answered', () => writeWith(person, photoId, key)).catch(() => '')
        if ((first.get(key) ?? id) !== id || !id) missing.push(key)
      }
      return { missing, wrong: Math.abs((await countOf(stack, person)) - keys.size), keys: keys.size }
    },
  }
}

/** The id of the effect that was acknowledged, or undefined when there was no good answer. */
async function writeWith(person: Person, photoId: string, key: string): Promise<string | undefined> {
  try {
    const response = await startRun(person, photoId, 'noir', key)
    const body = (await response.json()) as Run
    return response.status === 202 ? body.id : undefined
  } catch {
    return undefined
  }
}

async function notThere(stack: Stack, { accountId }: Person, ids: readonly string[]): Promise<string[]> {
  const { rows } = await (await stack.database('admin')).query<{ id: string }>(
    `select r.id from cosnap.runs r join seaworthy.ledger l on l.id = r.hold_id join seaworthy.jobs j on j.id = r.job_id
       join graphile_worker._private_jobs q on q.key = j.id::text
     where r.account_id = $1`,
    [accountId],
  )
  const kept = new Set(rows.map(({ id }) => id))
  return ids.filter((id) => !kept.has(id))
}

async function countOf(stack: Stack, { accountId }: Person): Promise<number> {
  const { rows } = await (await stack.database('admin')).query<{ count: number }>(
    'select count(*)::int as count from cosnap.runs where account_id = $1',
    [accountId],
  )
  return rows[0]?.count ?? Number.NaN
}
