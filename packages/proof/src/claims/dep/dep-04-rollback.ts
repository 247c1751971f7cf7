import { atMost, defineClaim, exactly } from '../../claim.ts'
import { giveCredits } from '../../rig/credits.ts'
import { type DatabaseClient, openClient } from '../../rig/database.ts'
import { type Host, openHost } from '../../rig/host.ts'
import { makeNextRelease } from '../../rig/next-release.ts'
import { type Person, signUp } from '../../rig/person.ts'
import { jpegPhoto, startRun, uploadPhoto } from '../../rig/photo.ts'
import { statusOf } from '../../rig/stack.ts'
import { timed, until } from '../../rig/wait.ts'
import { patch } from '../../sabotage.ts'

const WRITES = 1_000
const TAKEN = '202'
const AT_ONCE = 10
const SWITCH_MS = 60_000
const patient = {
  RATE_LIMIT_MAX: '1000000',
  EFFECTS_RATE_LIMIT_MAX: '1000000',
  UPLOAD_RATE_LIMIT_MAX: '1000000',
  DB_WAIT_TIMEOUT: '30s',
  WORKER_PROCESSES: '0',
}

export const claim = defineClaim({
  id: 'DEP-04',
  says: 'After a change of the schema and a thousand writes of the new release, a rollback to the release that is kept warm takes two seconds or less, and no write is lost',
  answers: ['T6', 'V6'],
  witness: 'the links that nginx follows, a hash of the rows',
  tier: 'full',
  seconds: 60,
  alone: true,
  needs: ['nginx'],
  limits: {
    'time until all traffic is back': atMost(2_000, 'ms'),
    'writes lost': exactly(0, 'writes'),
    'pages that failed afterwards': exactly(0, 'pages'),
  },
  experiment: async (rig) => {
    const host = await openHost(rig, patient)
    await put(host, host.checkout('first'))
    const first = host.state().serving ?? ''
    const next = makeNextRelease(rig).product
    await put(host, next, '--keep-warm')
    const admin = await openClient(host.databaseUrl)
    rig.defer(() => admin.end())
    const person = await signUp(host.url)
    await giveCredits(admin, person, 10 * WRITES)
    const answers = await write(person)
    // What only the new release knows of is kept as well.
    await admin.query("update cosnap.photos set caption = 'kept'")
    const before = await read(admin)
    const back = host.begin(next, 'rollback', '--yes', '--keep-warm')
    const { ms } = await timed(() =>
      until('all traffic is back', () => host.slots().every((release) => release === first), SWITCH_MS),
    )
    await back.exited
    const after = await read(admin)
    const pages = await Promise.all(['/', '/health/ready'].map((path) => statusOf(`${host.url}${path}`, 10_000)))
    return {
      measured: {
        'time until all traffic is back': ms,
        'writes lost': before.rows - after.rows + (before.hash === after.hash ? 0 : 1),
        'pages that failed afterwards': pages.filter((status) => status !== 200).length,
      },
      met: {
        'a thousand writes came first': (answers.get(TAKEN) ?? 0) >= WRITES && before.rows >= WRITES,
        'another release had served': host.state().serving === first && first !== '',
      },
      evidence: [`answers ${JSON.stringify(Object.fromEntries(answers))}; ${before.rows} rows`, back.output().trim()],
    }
  },
  sabotages: [
    patch(
      'the release before is not kept warm',
      'packages/ops/src/procedures/host/deploy.ts',
      'if (from && !settings.keepWarm) await drain(host, from)',
      'if (from) await drain(host, from)',
    ),
  ],
})

async function put(host: Host, checkout: string, ...flags: readonly string[]): Promise<void> {
  const { code, stderr } = await host.command(
    checkout,
    'deploy',
    '--yes',
    '--no-smoke',
    '--bake',
    '1s',
    '--ready',
    '3m',
    ...flags,
  )
  if (code !== 0) throw new Error(`the deploy failed: ${stderr.slice(-800)}`)
}

/** What the service answered until it had taken a thousand, and how often. */
async function write(person: Person): Promise<ReadonlyMap<string, number>> {
  const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
  const answers = new Map<string, number>()
  let begun = 0
  const one = async (): Promise<void> => {
    while ((answers.get(TAKEN) ?? 0) < WRITES && begun++ < 3 * WRITES) {
      const answer = await startRun(person, photoId)
      const { code = '' } = (await answer.json()) as { code?: string }
      const words = `${answer.status} ${code}`.trim()
      answers.set(words, (answers.get(words) ?? 0) + 1)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, one))
  return answers
}

async function read(admin: DatabaseClient): Promise<{ readonly rows: number; readonly hash: string }> {
  const { rows } = await admin.query<{ rows: number; hash: string }>(
    `select (select count(*)::int from cosnap.runs) as rows,
      (select md5(string_agg(r::text, ',' order by r.id)) from cosnap.runs r)
        || (select md5(string_agg(p::text, ',' order by p.id)) from cosnap.photos p)
        || (select md5(string_agg(l::text, ',' order by l.id)) from seaworthy.ledger l) as hash`,
  )
  return rows[0] ?? { rows: 0, hash: '' }
}
