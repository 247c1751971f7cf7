import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { prepareDatabase } from '../boot/index.ts'
import { type Config, readConfig } from '../config/index.ts'
import {
  type EmbeddedServer,
  ensureDatabaseAndRoles,
  loginOf,
  openClient,
  type PgSingleClient,
  refuseMovedDatabase,
  startEmbeddedServer,
  wantLogical,
} from '../data/index.ts'
import { createMemoryLogger } from '../telemetry/index.ts'
import { readArrival } from './arrival.ts'
import { type GraduateParts, graduate } from './graduate.ts'
import type { Side } from './session.ts'

/** Values of which each has lost something in some copy of some tool. */
const odd = `create table public.odd (id int primary key, n numeric, f double precision, at timestamptz, b bytea, j jsonb, t text[], big text,
  seq bigint generated always as identity, twice int generated always as (id * 2) stored);
  create table public.keyless (a int, b text)`
const rows = `insert into public.odd (id, n, f, at, b, j, t, big) values
  (1, 'NaN', '-0', 'infinity', '\\x00ff', '{"a": 12345678901234567890.10}', '{"a,b",NULL,"\\"q\\""}', repeat('x', 100000)),
  (2, 0.10, 0.1::float8 + 0.2, '2026-01-01 00:00:00.123456+00', '', 'null', '{}', null);
  insert into public.odd (id, big) select i, md5(i::text) from generate_series(10, 2000) i;
  insert into public.keyless values (1, 'x'), (1, 'x'), (2, null)`
/** While it is copied and followed: a long value that stays, a key that changes, rows that go, the same row twice. */
const meanwhile: Readonly<Record<string, readonly string[]>> = {
  'going on where it ended': [
    'update public.odd set n = 7 where id = 1',
    'update public.odd set id = 3 where id = 2',
    'delete from public.odd where id between 10 and 500',
  ],
  'comparing every row': [
    `insert into public.odd (id, big) select i, 'later' from generate_series(3000, 4500) i`,
    'delete from public.keyless where ctid = (select min(ctid) from public.keyless where a = 1)',
    `update public.keyless set b = 'now' where b is null`,
  ],
}

describe('a graduation', () => {
  const directory = mkdtempSync(join(tmpdir(), 'graduation-'))
  let server: EmbeddedServer
  let config: Config
  let here: PgSingleClient
  const side = (database: string): Side => ({ endpoint: { ...server.endpoint, database }, admin: server.admin })
  const prepare = async (database: string): Promise<void> => {
    await prepareDatabase({ ...side(database), embedded: undefined }, config, [], createMemoryLogger(), undefined, true)
    const client = await openClient(side(database).endpoint, server.admin, 'test')
    await client.query(odd)
    await client.end()
  }
  const partsTo = (database: string, more: Partial<GraduateParts> = {}): GraduateParts => {
    const rolesOf = ({ endpoint, admin }: Side) => {
      const nameOf = (role: 'app' | 'worker' | 'reader') =>
        loginOf(role, config.secrets.databaseRoleSecret, endpoint).user
      return { admin: admin.user, app: nameOf('app'), worker: nameOf('worker'), reader: nameOf('reader') }
    }
    const [from, to] = [side('seaworthy'), side(database)]
    return {
      from,
      to,
      roles: { from: rolesOf(from), to: rolesOf(to) },
      makeDatabase: () => ensureDatabaseAndRoles(to.endpoint, to.admin, config.secrets.databaseRoleSecret),
      prepare: () => prepare(database),
      pauseMaxMs: 60_000,
      hold: async () => undefined,
      isHoldOurs: false,
      decide: async () => undefined,
      tell: () => undefined,
      ...more,
    }
  }
  const contentOf = async (database: string): Promise<unknown> => {
    const client = await openClient(side(database).endpoint, server.admin, 'test')
    try {
      const text = `select md5(string_agg(o::text, ',' order by id)) as odd, (select string_agg(k::text, ',' order by k::text) from public.keyless k) as keyless from public.odd o`
      return (await client.query(text)).rows[0]
    } finally {
      await client.end()
    }
  }

  beforeAll(async () => {
    wantLogical(directory, true)
    config = readConfig(directory, { DATA_DIR: directory })
    server = await startEmbeddedServer(directory, 'only for tests')
    await prepare('seaworthy')
    here = await openClient(side('seaworthy').endpoint, server.admin, 'test')
    await here.query(rows)
  })
  afterAll(async () => {
    await here?.end().catch(() => undefined)
    await server?.stop()
    rmSync(directory, { recursive: true })
  })

  it('goes on where it ended, and refuses what is not complete', async () => {
    const fails = partsTo('there', {
      tell: (step) => {
        if (step === 'comparing every row') throw new Error('pulled the plug')
      },
    })
    await expect(graduate(fails)).rejects.toThrow('pulled the plug')
    expect(await readArrival(side('there'))).toMatchObject({ kind: 'arriving', phase: 'copied' })
    const { endpoint, admin } = side('there')
    await expect(refuseMovedDatabase(endpoint, admin)).rejects.toThrow(/is not complete.*\n {4}HINT/)
  })

  it('leaves the old one writing when it would hold it for too long', async () => {
    await expect(graduate(partsTo('there', { pauseMaxMs: 1 }))).rejects.toThrow(/longer than/)
    await here.query(`insert into public.odd (id) values (5000)`)
    expect(await readArrival(side('there'))).toMatchObject({ kind: 'arriving', phase: 'copied' })
  })

  it('brings every value and every change, whatever was written meanwhile, and takes writes from the old one', async () => {
    const steps: string[] = []
    const written: Promise<unknown>[] = []
    const done = await graduate(
      partsTo('there', {
        tell: (step) => {
          steps.push(step)
          for (const statement of meanwhile[step] ?? []) written.push(here.query(statement))
        },
      }),
    )
    expect(await Promise.all(written)).toHaveLength(6)
    expect(steps).toContain('going on where it ended')
    expect(done.compared.rows).toBeGreaterThan(2_000)
    expect(await contentOf('there')).toEqual(await contentOf('seaworthy'))
    const { endpoint, admin } = side('seaworthy')
    await expect(refuseMovedDatabase(endpoint, admin)).rejects.toThrow(
      /This database was left: since then .*\/there counts/,
    )
    const writer = await openClient(endpoint, admin, 'test')
    await expect(writer.query('insert into public.odd (id) values (6000)')).rejects.toThrow(/read-only transaction/)
    await writer.end()
    const { rows: next } = await (async () => {
      const client = await openClient(side('there').endpoint, server.admin, 'test')
      const result = await client.query<{ seq: number }>('insert into public.odd (id) values (6000) returning seq')
      await client.end()
      return result
    })()
    expect(next[0]?.seq).toBeGreaterThan(3_000)
  })
})
