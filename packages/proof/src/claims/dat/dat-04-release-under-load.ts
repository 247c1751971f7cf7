import { setTimeout as sleep } from 'node:timers/promises'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { type Arrivals, startArrivals } from '../../rig/arrivals.ts'
import { giveCredits } from '../../rig/credits.ts'
import { type DatabaseClient, openClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import { watchLockWaits } from '../../rig/lock-waits.ts'
import { makeNextRelease } from '../../rig/next-release.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import type { Stack } from '../../rig/stack.ts'
import { until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'proof_release'
const PHOTOS = 100_000
const PER_SECOND = 8
/** Somebody's report reads the table for this long when the next release wants to change it. */
const REPORT_MS = 1_500
const BESIDE_MS = 2_000
/** A machine that is busy with other things is slow and fails nothing; waiting for tables is measured apart. */
const patient = { DB_WAIT_TIMEOUT: '30s', DB_QUERY_TIMEOUT: '25s' }
const APPLY = 'packages/platform/src/data/apply-migration.ts'

export const claim = defineClaim({
  id: 'DAT-04',
  says: 'The next release is put beside this one under load, with its settings: it changes a table of 100,000 rows that somebody is reading, no request of either fails, and none waits half a second for a table',
  answers: ['D6', 'S4'],
  witness: 'two releases on one PostgreSQL, pg_locks',
  tier: 'full',
  seconds: 40,
  alone: true,
  limits: {
    'requests that failed': exactly(0, 'requests'),
    'longest wait of a request for a table': atMost(500, 'ms'),
    'next releases that started with the settings of this one': exactly(1, 'releases'),
    'steps of a visit that failed on the next release': exactly(0, 'steps'),
  },
  experiment: async (rig) => {
    // Room for the connections of all.
    const server = await rig.start({ environment: { WORKER_PROCESSES: '0', DB_POOL_MAX: '60' } })
    const settings: Record<string, string> = {
      ...onServer(await server.database('admin'), NAME),
      DB_POOL_MAX: '10',
      ...patient,
    }
    const current = await rig.start({ environment: settings })
    const connect = async (): Promise<DatabaseClient> => {
      const client = await openClient(settings.DATABASE_URL ?? '')
      rig.defer(() => client.end())
      return client
    }
    const [reporter, watcher, admin] = [await connect(), await connect(), await connect()]
    const person = await current.newcomer()
    await giveCredits(admin, person, 100_000)
    await fillPhotos(admin, await current.newcomer())
    const waits = watchLockWaits(watcher)
    const failures: string[] = []
    const bytes = await jpegPhoto(64, 48)
    const photoId = await uploadPhoto(person, bytes)
    const startMix = (somebody: Person): Arrivals => mix(somebody, { photoId, bytes, failures })
    const load = startMix(person)
    await reporter.query('begin; lock table cosnap.photos in access share mode')
    const next = await makeNextRelease(rig).launch(settings)
    await until('the next release wants the table', () => waits.migrator() > 0, 60_000)
    await sleep(REPORT_MS)
    await reporter.query('commit')
    const started = await next.ready(90_000).then(
      () => true,
      () => false,
    )
    const beside = started ? startMix(await next.signIn(person)) : undefined
    const failed = started ? await visit(next) : steps
    await sleep(BESIDE_MS)
    await Promise.all([load.stop(), beside?.stop()])
    await waits.stop()
    const samples = [...load.samples, ...(beside?.samples ?? [])]
    return {
      measured: {
        'requests that failed': samples.filter(({ ok }) => !ok).length,
        'longest wait of a request for a table': waits.longest(),
        'next releases that started with the settings of this one': started ? 1 : 0,
        'steps of a visit that failed on the next release': failed,
      },
      met: {
        'the next release met somebody who held the table': waits.migrator() > 1,
        'requests came while it was changed': load.samples.length > (PER_SECOND * REPORT_MS) / 1_000,
      },
      run: { samples: load.samples, marks: [] },
      evidence: [
        `${samples.length} requests, slowest ${Math.round(Math.max(...samples.map(({ ms }) => ms)))} ms`,
        ...failures.slice(0, 5),
        ...(started ? [] : [next.output().slice(-400)]),
      ],
    }
  },
  sabotages: [
    patch(
      'a migration waits for a table as long as it takes',
      APPLY,
      'set local lock_timeout = ${LOCK_WAIT_MS}',
      'set local lock_timeout = 0',
    ),
    patch(
      'the next release rewrites the table',
      APPLY,
      'await client.query(text)\n    await record',
      "await client.query(text.replace('caption text', 'caption uuid default gen_random_uuid()').replace('length(caption)', 'length(caption::text)'))\n    await record",
    ),
    patch(
      'the next release requires what this one does not write',
      APPLY,
      'await client.query(text)\n    await record',
      "await client.query(text.replace('caption text;', `caption text not null default ''; alter table cosnap.photos alter caption drop default;`))\n    await record",
    ),
  ],
})

/** As many photos as a busy installation has after a year, of somebody else. */
const fillPhotos = (admin: DatabaseClient, { accountId }: Person) =>
  admin.query(
    `insert into cosnap.photos (id, account_id, name, hash, type, bytes, width, height)
     select uuidv7(), $1, 'photo ' || n, md5(n::text), 'image/jpeg', 1000, 64, 48 from generate_series(1, ${PHOTOS}) n`,
    [accountId],
  )

interface MixParts {
  readonly photoId: string
  readonly bytes: Uint8Array<ArrayBuffer>
  readonly failures: string[]
}

/** Mostly looks, some effects, a few new photos. */
function mix(person: Person, { photoId, bytes, failures }: MixParts): Arrivals {
  return startArrivals(PER_SECOND, async (index) => {
    const response = await (index % 10 === 0
      ? person.fetch('/api/cosnap/photos?name=boat.jpg', { method: 'POST', body: bytes })
      : index % 4 === 0
        ? startRun(person, photoId)
        : person.fetch('/api/cosnap/photos'))
    const body = await response.text()
    if (!response.ok) failures.push(`${response.status} ${body.slice(0, 200)}`)
    return response.ok
  })
}

const steps = 4

/** What somebody does who comes for the first time; how many steps of it fail. */
async function visit(stack: Stack): Promise<number> {
  const person = await stack.newcomer().catch(() => undefined)
  if (!person) return steps
  const photoId = await uploadPhoto(person, await jpegPhoto()).catch(() => undefined)
  const seen = await person.fetch('/api/cosnap/photos')
  const begun = photoId ? await startRun(person, photoId) : undefined
  return [photoId !== undefined, seen.ok, begun?.ok].filter((ok) => !ok).length
}
