import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { DatabaseClient } from './database.ts'
import type { Guarded } from './recovery.ts'

const LOOK_MS = 25
const SWITCH_MS = 500

/** Looks at the processes of a drill as the kernel shows them: what each has where the data of the installation are. */
export function watchDrill(dataDirectory: string): { end(): { readonly looks: number; readonly files: Set<string> } } {
  const files = new Set<string>()
  let looks = 0
  const timer = setInterval(() => {
    for (const pid of drillPids()) {
      const names = entriesOf(`/proc/${pid}/root${dataDirectory}`)
      looks += Number(names !== undefined)
      for (const name of names ?? []) files.add(name)
    }
  }, LOOK_MS)
  return {
    end: () => {
      clearInterval(timer)
      return { looks, files }
    },
  }
}

/** Of what was restored: the database and the processes of the service. */
const drillPids = (): readonly string[] =>
  readdirSync('/proc').filter(
    (name) => /^\d+$/.test(name) && /postgres\0.*seaworthy-drill-|drill-use\.js/s.test(commandOf(name)),
  )

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8')
  } catch {
    return ''
  }
}

function entriesOf(path: string): readonly string[] | undefined {
  try {
    return readdirSync(path)
  } catch {
    return undefined
  }
}

/** Rooms, sockets and processes of drills; also those that somebody else on this machine has now. */
export const tracesOf = (dataDirectory: string): readonly string[] => [
  ...(existsSync(join(dataDirectory, 'recovery', 'drill')) ? ['room'] : []),
  ...readdirSync(tmpdir()).filter((name) => name.startsWith('seaworthy-drill-')),
  ...drillPids(),
]

interface Damage {
  readonly name: string
  /** What the report must say. */
  readonly words: RegExp
  readonly damage: (guarded: Guarded) => Promise<unknown>
  readonly mend: (guarded: Guarded) => Promise<unknown>
}

const bySql = (name: string, words: RegExp, damage: string, mend: string): Damage => ({
  name,
  words,
  damage: ({ admin }) => admin.query(damage),
  mend: ({ admin }) => admin.query(mend),
})

const turned = (sign: string): string =>
  `create or replace function public.turned(int) returns int language sql immutable as $$ select ${sign}$1 $$`

/** What hasty administrators and bad disks do. The server itself sees nothing wrong with any of it. */
export const damages: readonly Damage[] = [
  bySql('an index that is not as its table', /index .*notes_turned.* damaged/, turned('-'), turned('')),
  bySql(
    'a ledger that does not add up',
    /ledger .*does not add up/,
    `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference)
     select gen_random_uuid(), account_id, 'hold', 'available', 'held', 1000000, 'damage' from seaworthy.ledger limit 1`,
    `delete from seaworthy.ledger where reference = 'damage'`,
  ),
  bySql(
    'a sealed value that was changed',
    /sealed values do not open.*provider_keys/,
    `update seaworthy.provider_keys set secret = overlay(secret placing 'AAAA' from 20)`,
    'update seaworthy.provider_keys p set secret = k.secret from public.kept k where k.id = p.id',
  ),
  bySql(
    'a line of the audit that somebody put in',
    /audit .*not as it was written/,
    `insert into seaworthy.audit (id, action, outcome, method, route, status, duration_ms, network, request_id)
     values (gen_random_uuid(), 'damage', 'done', 'GET', '/', 200, 1, '', '')`,
    `delete from seaworthy.audit where action = 'damage'`,
  ),
  {
    name: 'a file that is missing in the store',
    words: /file is missing.*blobs/,
    damage: async ({ store }) => renameSync(join(store, 'blobs'), join(store, '..', 'blobs-away')),
    mend: async ({ store }) => renameSync(join(store, '..', 'blobs-away'), join(store, 'blobs')),
  },
]

/** So that there is something of each kind to damage. */
export async function prepareDamage(admin: DatabaseClient): Promise<void> {
  await admin.query('create table public.notes as select generate_series(1, 1000) as id')
  await admin.query(turned(''))
  await admin.query('create index notes_turned on public.notes (public.turned(id))')
  await admin.query('create table public.kept as select id, secret from seaworthy.provider_keys')
  // Past the triggers and rules that guard the tables.
  await admin.query(`set session_replication_role = 'replica'`)
}

export interface Tried {
  readonly name: string
  readonly code: number
  readonly problem: string
  readonly isNamed: boolean
}

/** One damage after the other, each with a drill; the next one begins with a sound system. */
export async function tryDamages(guarded: Guarded): Promise<readonly Tried[]> {
  const tried: Tried[] = []
  for (const { name, words, damage, mend } of damages) {
    await damage(guarded)
    const { code, report } = await hurried(guarded)
    const problem = report?.problem ?? ''
    tried.push({ name, code, problem, isNamed: words.test(problem) })
    await mend(guarded)
  }
  return tried
}

/** The archive does not wait for its five seconds: they are measured elsewhere. */
async function hurried({ admin, drill }: Guarded): ReturnType<Guarded['drill']> {
  const timer = setInterval(() => void admin.query('select pg_switch_wal()').catch(() => undefined), SWITCH_MS)
  try {
    return await drill()
  } finally {
    clearInterval(timer)
  }
}

/** What the list of recovery points says of the newest one, and whether somebody who looks is alarmed. */
export async function askOperator(
  guarded: Guarded,
): Promise<{ readonly isVerified: boolean; readonly isAlarmed: boolean }> {
  const [list, doctor] = await Promise.all([
    guarded.command(['backups', '--json']),
    guarded.command(['doctor', 'recovery', 'drills', '--json']),
  ])
  const [store] = JSON.parse(list.stdout) as { points: { drill?: { outcome: string } }[] }[]
  return { isVerified: store?.points.at(-1)?.drill?.outcome === 'passed', isAlarmed: doctor.code !== 0 }
}
