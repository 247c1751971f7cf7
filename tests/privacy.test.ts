import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { UserId } from '@seaworthy/core'
import { openErasureRegister, reapplyErasures } from '@seaworthy/platform/privacy'
import { jpegPhoto, type Newcomer, openTestService, type TestService, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'

describe('what is kept about a person', () => {
  let service: TestService
  beforeAll(async () => {
    service = await openTestService()
  })
  afterAll(() => service.close())

  const ask = (person: Newcomer, path: string, body: object) =>
    person.fetch(path, { method: 'POST', body: JSON.stringify(body), headers: { 'content-type': 'application/json' } })
  const erase = (person: Newcomer) =>
    ask(person, '/api/privacy/erase', { password: person.password, confirm: 'erase everything' })

  /** Somebody with a photo, an effect under way, and an upload that was begun. */
  async function somebody(): Promise<Newcomer & { userId: UserId }> {
    const person = await service.newcomer()
    const photo = await person.fetch('/api/cosnap/photos?name=canary.jpg', {
      method: 'POST',
      body: await jpegPhoto(64, 48),
    })
    const { id } = await photo.json()
    await person.fetch('/api/cosnap/runs', {
      method: 'POST',
      body: JSON.stringify({ photoId: id, effect: 'noir', strength: 50 }),
      headers: { 'content-type': 'application/json', 'idempotency-key': 'one' },
    })
    await ask(person, '/api/uploads', { bytes: 100 })
    const me = await (await person.fetch('/api/identity/me')).json()
    return { ...person, userId: me.id }
  }

  /** Every row of every table that names one of these ids, by table. */
  async function rowsWith(ids: readonly string[]): Promise<Record<string, number>> {
    const { admin } = service.test
    const tables = await admin.query(
      `select c.oid::regclass::text as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where c.relkind in ('r', 'p') and not c.relispartition and n.nspname not in ('pg_catalog', 'information_schema', 'pg_toast')`,
    )
    const found: Record<string, number> = {}
    for (const { name } of tables.rows) {
      const { rows } = await admin.query(`select count(*)::int as n from ${name} t where t::text ~ $1`, [ids.join('|')])
      if (rows[0].n > 0) found[name] = rows[0].n
    }
    return found
  }

  it('is given out whole: rows of all tables and the files themselves', async () => {
    const person = await somebody()
    const directory = mkdtempSync(join(tmpdir(), 'export-'))
    try {
      expect((await ask(person, '/api/privacy/export', { password: 'wrong' })).status).toBe(401)
      const answer = await ask(person, '/api/privacy/export', { password: person.password })
      expect(answer.headers.get('content-type')).toBe('application/zip')
      const file = join(directory, 'data.zip')
      writeFileSync(file, Buffer.from(await answer.arrayBuffer()))
      execFileSync('python3', ['-m', 'zipfile', '-e', file, directory])
      const read = (name: string) =>
        readFileSync(join(directory, 'data', `${name}.jsonl`), 'utf8')
          .trim()
          .split('\n')
          .map((line) => JSON.parse(line))
      expect(read('person')).toMatchObject([{ email: person.email }])
      expect(read('cosnap.photos')).toMatchObject([{ name: 'canary.jpg' }])
      expect(read('cosnap.runs')).toMatchObject([{ effect: 'noir' }])
      expect(read('seaworthy.ledger').length).toBeGreaterThan(1)
      expect(read('sign-ins')).toHaveLength(1)
      const [photo] = read('cosnap.photos')
      expect(existsSync(join(directory, 'files', `${photo.hash}.jpg`))).toBe(true)
      const all = execFileSync('grep', ['-rlE', 'argon2|refresh_hash|error_text', directory, '--include=*.jsonl'], {
        encoding: 'utf8',
      }).trim
      expect(all).toBeUndefined()
    } catch (error) {
      // grep finds nothing: that is what is wanted.
      if ((error as { status?: number }).status !== 1) throw error
    } finally {
      rmSync(directory, { recursive: true, force: true })
    }
  })

  it('is told: how much of each kind, and for how long', async () => {
    const [person, other] = [await somebody(), await somebody()]
    const { items } = await (await person.fetch('/api/privacy/kept')).json()
    const of = (name: string) => items.find((item: { name: string }) => item.name === name)
    expect(of('person')).toEqual({ name: 'person', rows: 1, more: false, bytes: null, days: null })
    expect(of('cosnap.photos')).toMatchObject({ rows: 1, more: false })
    expect(of('cosnap.runs')).toMatchObject({ rows: 1 })
    expect(of('seaworthy.blobs').bytes).toBeGreaterThan(100)
    expect(of('seaworthy.audit')).toMatchObject({ days: 400, bytes: null })
    expect(of('passkeys')).toMatchObject({ rows: 0 })
    await service.test.admin.query(
      `insert into cosnap.photos select (jsonb_populate_record(p, jsonb_build_object('id', gen_random_uuid()))).*
       from cosnap.photos p, generate_series(1, 10001) where account_id = $1`,
      [other.accountId],
    )
    const more = await (await other.fetch('/api/privacy/kept')).json()
    expect(more.items).toContainEqual({ name: 'cosnap.photos', rows: 10_000, more: true, bytes: null, days: null })
  })

  it('is removed for good: no row but the ledger, no file, no sign-in', async () => {
    const person = await somebody()
    const ids = [person.userId, person.accountId, person.email]
    const { dataDirectory } = service.capabilities.config
    expect((await ask(person, '/api/privacy/erase', { password: person.password, confirm: 'yes' })).status).toBe(400)
    expect((await erase({ ...person, password: 'wrong' })).status).toBe(401)
    expect(existsSync(join(dataDirectory, 'blobs', person.accountId))).toBe(true)
    expect((await erase(person)).status).toBe(204)
    const left = await rowsWith(ids)
    expect(Object.keys(left).sort()).toEqual(['seaworthy.accounts', 'seaworthy.audit', 'seaworthy.ledger'])
    const { rows } = await service.test.admin.query(
      'select name, personal_user_id from seaworthy.accounts where id = $1',
      [person.accountId],
    )
    expect(rows).toEqual([{ name: 'Erased', personal_user_id: null }])
    expect(await rowsWith([person.email])).toEqual({})
    expect(existsSync(join(dataDirectory, 'blobs', person.accountId))).toBe(false)
    expect(existsSync(join(dataDirectory, 'media', 'uploads', person.accountId))).toBe(false)
    expect((await person.fetch('/api/identity/me')).status).toBe(401)
    const again = await fetch(`${service.url}/api/identity/sign-in`, {
      method: 'POST',
      body: JSON.stringify({ email: person.email, password: person.password }),
      headers: { 'content-type': 'application/json' },
    })
    expect(again.status).toBe(401)
  })

  it('does not come back with an older database', async () => {
    const [person, bystander] = [await somebody(), await somebody()]
    const { admin } = service.test
    for (const table of ['users', 'accounts', 'memberships'])
      await admin.query(`create table public.old_${table} as select * from seaworthy.${table}`)
    expect((await erase(person)).status).toBe(204)
    await admin.query(`delete from seaworthy.ledger where account_id = '${person.accountId}'`)
    await admin.query(`delete from seaworthy.accounts where id = '${person.accountId}'`)
    for (const table of ['users', 'accounts', 'memberships'])
      await admin.query(
        `insert into seaworthy.${table} select * from public.old_${table} on conflict do nothing; drop table public.old_${table}`,
      )
    expect(await rowsWith([person.email])).toEqual({ 'seaworthy.users': 1 })
    const { database, media, config } = service.capabilities
    const parts = { database, files: media, register: openErasureRegister(config.dataDirectory) }
    expect(await reapplyErasures(parts)).toBe(1)
    expect(await rowsWith([person.email])).toEqual({})
    expect(await rowsWith([bystander.email])).toMatchObject({ 'seaworthy.users': 1 })
    expect(await reapplyErasures(parts)).toBe(0)
  })

  it('is not removed while others would be left without an owner', async () => {
    const [owner, member] = [await somebody(), await somebody()]
    await service.test.admin.query(
      `with shared as (insert into seaworthy.accounts (id, name) values (gen_random_uuid(), 'Shared') returning id)
       insert into seaworthy.memberships (account_id, user_id, role)
       select shared.id, u.id, u.role from shared, (values ($1::uuid, 'owner'), ($2::uuid, 'member')) u(id, role)`,
      [owner.userId, member.userId],
    )
    expect((await erase(owner)).status).toBe(409)
    expect((await owner.fetch('/api/identity/me')).status).toBe(200)
    expect((await erase(member)).status).toBe(204)
    // Now the account is the owner's alone, and goes with the owner.
    expect((await erase(owner)).status).toBe(204)
    const { rows } = await service.test.admin.query(`select 1 from seaworthy.accounts where name = 'Shared'`)
    expect(rows).toEqual([])
  })

  it('is finished after a crash in the middle', async () => {
    const person = await somebody()
    const { database, media, config } = service.capabilities
    const register = openErasureRegister(config.dataDirectory)
    const forgetAccount = () => Promise.reject(new Error('crash'))
    await register.add({ userId: person.userId, accountIds: [person.accountId as never], at: '', state: 'asked' })
    await expect(reapplyErasures({ database, register, files: { forgetAccount } })).rejects.toThrow('crash')
    expect(existsSync(join(config.dataDirectory, 'blobs', person.accountId))).toBe(true)
    await until('it is done', async () => (await reapplyErasures({ database, register, files: media })) === 1)
    expect(existsSync(join(config.dataDirectory, 'blobs', person.accountId))).toBe(false)
  })
})
