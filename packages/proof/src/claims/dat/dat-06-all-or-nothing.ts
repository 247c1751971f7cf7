import { defineClaim, exactly } from '../../claim.ts'
import { giveCredits } from '../../rig/credits.ts'
import type { DatabaseClient } from '../../rig/database.ts'
import { openClient } from '../../rig/database.ts'
import { onServer } from '../../rig/external.ts'
import type { Person } from '../../rig/person.ts'
import { jpegPhoto, type Run, startRun, uploadPhoto } from '../../rig/photo.ts'
import { openWireProxy, type WireFault, type WireProxy } from '../../rig/wire-proxy.ts'
import { patch } from '../../sabotage.ts'

const NAME = 'proof_wire'
const STATEMENTS_MAX = 60

/** Everything that a write leaves in the database. Refusals are written down apart, in transactions of their own. */
const state = `select jsonb_build_object(
  'photos', (select count(*) from cosnap.photos where account_id = $1),
  'runs', (select jsonb_object_agg(state, n) from (select state, count(*) n from cosnap.runs where account_id = $1 group by 1) r),
  'jobs', (select jsonb_object_agg(state, n) from (select state, count(*) n from seaworthy.jobs where account_id = $1 group by 1) j),
  'ledger', (select jsonb_object_agg(kind, n) from (select kind, count(*) n from seaworthy.ledger where account_id = $1 group by 1) l),
  'references', (select count(*) from seaworthy.blob_references where account_id = $1),
  'keys', (select count(*) from seaworthy.idempotency where account_id = $1 and coalesce(status, 0) < 400),
  'audit', (select count(*) from seaworthy.audit where account_id = $1 and outcome = 'done'))::text as state`

interface Try {
  readonly what: string
  readonly change: string
  readonly ok: boolean
}

export const claim = defineClaim({
  id: 'DAT-06',
  says: 'Whichever statement of a write fails, refused or with its connection cut, the database is as before the write or as after it, never between, and whoever was told that it succeeded finds it',
  answers: ['D6', 'ASVS 2.3.3'],
  witness: "a proxy that speaks PostgreSQL's protocol",
  tier: 'full',
  seconds: 20,
  limits: {
    'states between before and after': exactly(0, 'states'),
    'successes that are not there': exactly(0, 'writes'),
  },
  experiment: async (rig) => {
    const server = await rig.start({ environment: { WORKER_PROCESSES: '0', DB_POOL_MAX: '20' } })
    const admin = await server.database('admin')
    const proxy = await openWireProxy(admin.port)
    rig.defer(() => proxy.close())
    const stack = await rig.start({ environment: onServer(admin, NAME, proxy.port) })
    const watcher = await openClient(onServer(admin, NAME).DATABASE_URL ?? '')
    rig.defer(() => watcher.end())
    const person = await stack.newcomer()
    await giveCredits(watcher, person, 10_000)
    const photoId = await uploadPhoto(person, await jpegPhoto(64, 48))
    const begin = async (): Promise<Run> => (await startRun(person, photoId)).json() as Promise<Run>
    const paths: Readonly<Record<string, () => Promise<() => Promise<Response>>>> = {
      'start an effect': async () => () => startRun(person, photoId),
      'cancel an effect': async () => {
        const { id } = await begin()
        return () => person.fetch(`/api/cosnap/runs/${id}/cancel`, { method: 'POST' })
      },
      'upload a photo': async () => {
        const bytes = await jpegPhoto(64 + Math.floor(rig.random() * 400), 64 + Math.floor(rig.random() * 400))
        return () => person.fetch('/api/cosnap/photos?name=boat.jpg', { method: 'POST', body: bytes })
      },
    }
    const outcomes = []
    for (const [name, prepare] of Object.entries(paths))
      for (const fault of ['refuse', 'cut'] as const)
        outcomes.push({ name, fault, ...(await failEach({ fault, prepare, person, proxy, watcher })) })
    const tries = outcomes.flatMap(({ name, fault, tries, whole }) =>
      tries.map((one) => ({ ...one, whole, what: `${name}, ${fault} ${one.what}` })),
    )
    const between = tries.filter(({ change, whole }) => change !== '' && change !== whole)
    const untrue = tries.filter(({ ok, change, whole }) => ok && change !== whole)
    return {
      measured: { 'states between before and after': between.length, 'successes that are not there': untrue.length },
      met: {
        'each write was failed at five statements or more': outcomes.every(({ tries }) => tries.length >= 5),
        'some writes were done although their connection was cut': tries.some(
          ({ what, change }) => what.includes(', cut ') && change !== '',
        ),
        'each write changes something when nothing fails': outcomes.every(({ whole }) => whole !== ''),
      },
      evidence: [
        ...outcomes.map(({ name, fault, tries }) => `${name}: ${tries.length} statements, ${fault}`),
        ...[...between, ...untrue].map(({ what, change }) => `${what}: ${change}`),
      ].slice(0, 14),
    }
  },
  sabotages: [
    patch(
      'what a failed request has done is committed',
      'packages/platform/src/data/database.ts',
      "await client.query('rollback')",
      "await client.query('commit')",
    ),
    patch(
      'a commit that failed is told as a success',
      'packages/platform/src/data/database.ts',
      "if (!seen) return (await client.query('commit')).command",
      "if (!seen) return (await client.query('commit').catch(() => ({ command: 'COMMIT' }))).command",
    ),
  ],
})

interface Path {
  readonly fault: WireFault
  readonly prepare: () => Promise<() => Promise<Response>>
  readonly person: Person
  readonly proxy: WireProxy
  readonly watcher: DatabaseClient
}

/** First without a fault, to know the whole change; then with the fault at the first statement, the second, to the last. */
async function failEach({ fault, prepare, person, proxy, watcher }: Path) {
  const one = async (nth: number): Promise<Try & { readonly struck: boolean }> => {
    const send = await prepare()
    const before = await stateOf(watcher, person)
    proxy.arm(person.accountId, nth, fault)
    const response = await send()
    await response.arrayBuffer()
    const { struck } = proxy.disarm()
    const after = await stateOf(watcher, person)
    return { what: `${nth}`, change: difference(before, after), ok: response.ok, struck }
  }
  const whole = (await one(Number.POSITIVE_INFINITY)).change
  const tries: Try[] = []
  for (let nth = 1; nth <= STATEMENTS_MAX; nth++) {
    const outcome = await one(nth)
    if (!outcome.struck) break
    tries.push(outcome)
  }
  return { whole, tries }
}

async function stateOf(watcher: DatabaseClient, person: Person): Promise<Record<string, number>> {
  const { rows } = await watcher.query<{ state: string }>(state, [person.accountId])
  const flat: Record<string, number> = {}
  for (const [name, value] of Object.entries(JSON.parse(rows[0]?.state ?? '{}') as Record<string, unknown>)) {
    if (typeof value === 'number') flat[name] = value
    else for (const [kind, count] of Object.entries(value ?? {})) flat[`${name} ${kind}`] = Number(count)
  }
  return flat
}

function difference(before: Record<string, number>, after: Record<string, number>): string {
  const names = [...new Set([...Object.keys(before), ...Object.keys(after)])].sort()
  return names
    .map((name) => [name, (after[name] ?? 0) - (before[name] ?? 0)] as const)
    .filter(([, change]) => change !== 0)
    .map(([name, change]) => `${name} ${change}`)
    .join(', ')
}
