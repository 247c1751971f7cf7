import { spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { join } from 'node:path'
import { newId } from '@seaworthy/core'
import { type ArchivedDatabase, openArchivedDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { asOwner } from '../../data/index.ts'
import { platformSealedColumns, refreshAll } from '../../vault/index.ts'
import { describeStore } from '../store-view.ts'
import { type DrillSettings, drill } from './drill.ts'
import { markDrilled } from './report.ts'

const inside = [
  process.execPath,
  '--import',
  import.meta.resolve('tsx'),
  '-C',
  'source',
  join(import.meta.dirname, '..', 'testing', 'drill-inside.ts'),
]

/** In the place of the service: says that it is ready, and what this shell says. */
const using = (script: string): readonly string[] => [
  'sh',
  '-c',
  `echo '{"kind":"ready","seconds":0.5}'; say() { echo "{\\"kind\\":\\"journey\\",\\"text\\":\\"$1\\"}"; }; ${script}; echo '{"kind":"end","seconds":0.1}'`,
]

describe('a drill', { timeout: 240_000 }, () => {
  let archived: ArchivedDatabase
  let place = ''
  const account = newId()
  const query = (text: string, values: unknown[] = []) => archived.admin().query(text, values)

  const settings = (more: Partial<DrillSettings> = {}): DrillSettings => {
    const [shelf] = archived.shelves
    if (!shelf) throw new Error('there is no store')
    return {
      shelf,
      bucket: undefined,
      ring: archived.ring,
      place,
      hidden: [archived.places.dataDirectory, shelf.name],
      memoryBytes: 2 ** 30,
      restic: undefined,
      columns: platformSealedColumns,
      auditRetentionMs: archived.config.auditRetentionMs,
      live: undefined,
      inside,
      use: using('say used'),
      signal: new AbortController().signal,
      tell: () => undefined,
      ...more,
    }
  }
  /** What is committed until now is tried. */
  const tryNow = async (more: Partial<DrillSettings> = {}) => {
    await archived.archive()
    return drill(settings(more))
  }

  beforeAll(async () => {
    archived = await openArchivedDatabase()
    place = archived.scratch('drill')
    const user = newId()
    await query(`insert into seaworthy.users (id, email, password_hash) values ($1, 'a@example.com', 'none')`, [user])
    await query(`insert into seaworthy.accounts (id, name, personal_user_id) values ($1, 'Personal', $2)`, [
      account,
      user,
    ])
    await query('alter table seaworthy.provider_keys drop constraint provider_keys_secret_check')
    await query(
      `insert into seaworthy.provider_keys (id, account_id, name, secret) select gen_random_uuid(), $1, 'k' || i, 'secret ' || i from generate_series(1, 20) i`,
      [account],
    )
    const { endpoint, admin } = archived.server()
    const { ring, config } = archived
    await asOwner(endpoint, admin, 'test', (session) =>
      refreshAll({ session, ring, config, columns: platformSealedColumns }, { rowsPerSecond: 1_000_000 }),
    )
    await query(
      `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference) values (gen_random_uuid(), $1, 'grant', 'gifts', 'available', 5, 'gift')`,
      [account],
    )
    await query('create table public.notes (id int primary key)')
    await query('insert into public.notes select generate_series(1, 1000)')
    await query('create function public.turned(int) returns int language sql immutable as $$ select $1 $$')
    await query('create index notes_turned on public.notes (public.turned(id))')
    await archived.backUp()
  }, 240_000)
  afterAll(() => archived.close())

  it('passes where everything is well, saw nothing but store and keys, and leaves nothing', async () => {
    const store = archived.shelves[0]?.name ?? ''
    const { dataDirectory } = archived.places
    const script = [
      `say "$(ls -A ${dataDirectory} | wc -l) of the data, $(ls -A ${store} | wc -l) of the store's path"`,
      'say "$(env | grep -cE "(BACKUP|SECRET|KEY)[A-Z_]*=." ) secrets in the environment"',
      'say "$(tail -n +3 /proc/net/dev | cut -d: -f1 | tr -d " \\n")"',
      `say "$(test -e "$DATA_DIR"/database/PG_VERSION && echo database) $(touch "$(dirname "$SOCKET")"/store/x 2>/dev/null || echo kept)"`,
    ].join('; ')
    const report = await tryNow({ use: using(script) })
    expect(report).toMatchObject({ outcome: 'passed', problem: undefined })
    expect(report.checked).toMatchObject({ ledgerLines: 1, sealedValues: 20 })
    expect(report.checked?.indexes).toBeGreaterThan(50)
    expect(report.rtoSeconds).toBeGreaterThan(0.5)
    expect(Object.keys(report.seconds)).toEqual(
      expect.arrayContaining(['read the base', 'replay the log', 'check the database', 'start the service']),
    )
    if (report.room?.files === 'own' && report.room.network === 'own')
      expect(report.journeys).toEqual([
        "0 of the data, 0 of the store's path",
        '0 secrets in the environment',
        'lo',
        'database kept',
      ])
    expect(existsSync(place)).toBe(false)
  })

  it('is told of beside the point', async () => {
    const [shelf] = archived.shelves
    if (!shelf) throw new Error('there is no store')
    expect((await describeStore(shelf, archived.ring)).points[0]?.drill).toBeUndefined()
    await markDrilled(await archived.store(), await drill(settings()))
    expect((await describeStore(shelf, archived.ring)).points[0]?.drill).toMatchObject({ outcome: 'passed' })
  })

  it.each<[string, string, string, RegExp]>([
    [
      'a damaged index',
      'create or replace function public.turned(int) returns int language sql immutable as $$ select -$1 $$',
      'create or replace function public.turned(int) returns int language sql immutable as $$ select $1 $$',
      /notes_turned .* damaged/,
    ],
    [
      'a missing file',
      `insert into seaworthy.blobs (account_id, hash, bytes, type) select id, repeat('a', 64), 1, 'image/png' from seaworthy.accounts`,
      'delete from seaworthy.blobs',
      /file is missing .*a{64}/,
    ],
    [
      'a sealed value that does not open',
      `update seaworthy.provider_keys set secret = overlay(secret placing 'AAAA' from 20) where name = 'k7'`,
      `delete from seaworthy.provider_keys where name = 'k7'`,
      /1 of 20 sealed values .*provider_keys.secret of the row/,
    ],
    [
      'a ledger that does not add up',
      `insert into seaworthy.ledger (id, account_id, kind, from_book, to_book, amount, reference) select gen_random_uuid(), id, 'hold', 'available', 'held', 6, 'x' from seaworthy.accounts`,
      `delete from seaworthy.ledger where reference = 'x'`,
      /ledger .* does not add up/,
    ],
    [
      'a line of the audit that was put in afterwards',
      `insert into seaworthy.audit (id, action, outcome, method, route, status, duration_ms, network, request_id) values (gen_random_uuid(), 'x', 'done', 'GET', '/', 200, 1, '', '')`,
      `delete from seaworthy.audit where action = 'x'`,
      /audit .* not as it was written.*no seal/,
    ],
  ])('does not pass with %s', async (_, damage, mend, words) => {
    await query(`set session_replication_role = 'replica'`)
    await query(damage)
    try {
      const report = await tryNow()
      expect([report.outcome, report.problem]).toEqual(['failed', expect.stringMatching(words)])
      expect(existsSync(place)).toBe(false)
    } finally {
      await query(mend)
      await query(`set session_replication_role = 'origin'`)
    }
  })

  it('does not pass without a row that was acknowledged, or when the service does not start', async () => {
    const lost = await tryNow({ use: using('exit 1') })
    expect([lost.outcome, lost.problem]).toEqual([
      'failed',
      expect.stringMatching(/^walk the journeys|start the service/),
    ])
    const { endpoint, admin } = archived.server()
    const store = await archived.store()
    const silent = { ...store.shelf, size: async () => 1 }
    // The archive is said to have the row, and does not.
    const report = await drill(settings({ shelf: silent, live: { endpoint, admin, identity: store.owner } }))
    expect([report.outcome, report.problem]).toEqual(['failed', expect.stringMatching(/committed and archived/)])
  })

  it('says that it could not verify where the store is away, or somebody ended it', async () => {
    const store = archived.shelves[0]?.name ?? ''
    renameSync(store, `${store}.away`)
    expect(await drill(settings())).toMatchObject({ outcome: 'unknown', problem: expect.stringMatching(/not there/) })
    renameSync(`${store}.away`, store)
    const ended = new AbortController()
    const report = await drill(
      settings({
        signal: ended.signal,
        use: using('sleep 600'),
        tell: (step) => void (step === 'walk the journeys' && ended.abort()),
      }),
    )
    expect(report).toMatchObject({ outcome: 'unknown', problem: 'it was ended' })
    expect(existsSync(place)).toBe(false)
  })

  it('does not run twice at once, and one that was killed leaves nothing that runs and nothing that stays', async () => {
    const [first] = archived.keys
    const args = [archived.shelves[0]?.name ?? '', place, first.reveal(), ...inside]
    const program = join(import.meta.dirname, '..', 'testing', 'drill-once.ts')
    const child = spawn(process.execPath, ['--import', import.meta.resolve('tsx'), '-C', 'source', program, ...args])
    let said = ''
    await new Promise<void>((resolve, reject) => {
      child.stdout.on('data', (chunk: Buffer) => {
        said += chunk.toString()
        if (said.includes('walk the journeys')) resolve()
      })
      child.once('exit', () => reject(new Error(said)))
    })
    await expect(drill(settings())).rejects.toThrow(/Another drill is under way/)
    expect(readdirSync(place)).toContain('data')
    child.kill('SIGKILL')
    const report = await untilFree(() => drill(settings()))
    expect(report.outcome).toBe('passed')
    expect(existsSync(place)).toBe(false)
    expect(processesWith(place)).toEqual([])
  })
})

/** The kernel gives the lock back with the process. */
async function untilFree<T>(work: () => Promise<T>): Promise<T> {
  for (;;)
    try {
      return await work()
    } catch (error) {
      if (!(error as Error).message.includes('Another drill')) throw error
    }
}

const processesWith = (text: string): readonly string[] =>
  readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && Number(name) !== process.pid)
    .flatMap((pid) => {
      try {
        const line = readFileSync(`/proc/${pid}/cmdline`, 'utf8')
        return line.includes(text) ? [line] : []
      } catch {
        return []
      }
    })
