import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { type AccountId, type Clock, newId, type UserId } from '@seaworthy/core'
import { type ArchivedDatabase, makeAccount, openArchivedDatabase } from '@seaworthy/testkit'
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { column, loginOf, openDatabase, pii, type Sealed, sql, table } from '../data/index.ts'
import { createMedia, type MediaRoom, openDiskStore } from '../media/index.ts'
import { openErasureRegister } from '../privacy/index.ts'
import { findRestic, openPast, type Past, type Plan, parseTarget, planRestore } from '../recovery/index.ts'
import { openVault } from '../vault/index.ts'
import { findDifference, type Subject } from './difference.ts'
import { readErasures } from './erasures.ts'
import { type MergeParts, merge } from './merge.ts'
import type { Sides } from './sides.ts'
import { undo } from './undo.ts'

const pages = table('lib.pages', {
  id: column.id(),
  account_id: column.account(),
  title: pii(column.sealed()),
  hash: column.optionalText(),
  made_by: column.optionalReference(),
  waits_for: column.optionalReference(),
  rank: column.integer(),
})
const lines = table('lib.lines', {
  id: column.id(),
  account_id: column.account(),
  page_id: column.reference(),
  after_id: column.optionalReference(),
  words: column.text(),
})
const schema = `
  create schema lib; grant usage on schema lib to seaworthy_app;
  create table lib.lines (id uuid primary key, account_id uuid not null references seaworthy.accounts on delete cascade, page_id uuid not null,
    after_id uuid references lib.lines, words text not null unique);
  create table lib.pages (id uuid primary key, account_id uuid not null references seaworthy.accounts on delete cascade, title text not null,
    hash text, made_by uuid references seaworthy.users on delete set null, waits_for uuid, rank int not null);
  alter table lib.lines add foreign key (page_id) references lib.pages on delete cascade;
  call seaworthy.protect('lib.pages', 'seaworthy_app'); call seaworthy.protect('lib.lines', 'seaworthy_app');
  grant update (title, rank) on lib.pages to seaworthy_app;`

const QUOTA_BYTES = 1_000

interface Person {
  readonly accountId: AccountId
  readonly userId: UserId
}

/** One instant of the past is open for all of them; each begins with the rows of that instant, changed by nobody. */
describe('one account as it was', { timeout: 300_000 }, () => {
  let archived: ArchivedDatabase
  let past: Past
  let plan: Plan
  let sides: Sides
  let media: MediaRoom
  let mine: Person
  let theirs: Person
  const vaultOf = () => openVault({ ring: archived.ring })
  const clock: Clock = { now: () => Date.now() } as Clock
  const limits = { max: 4, waitMs: 10_000, statementMs: 60_000, transactionMs: 60_000 }

  /** A page with two lines and a file, and its title sealed. */
  async function writePage(
    { accountId, userId }: Person,
    title: string,
    more: { waitsFor?: string } = {},
  ): Promise<string> {
    const { media: files } = media
    const blob = await files.storeBytes({ accountId }, Buffer.from(`picture of ${title}`), 'image/png')
    const [id, first] = [newId(), newId()]
    await sides.live.withCaller({ accountId }, async (tx) => {
      const sealed = await vaultOf().seal(tx, { table: 'lib.pages', column: 'title', row: id, accountId }, title)
      await tx.run(
        sql`insert into lib.pages values (${id}, ${accountId}, ${sealed}, ${blob.hash}, ${userId}, ${more.waitsFor ?? null}, 1)`,
      )
      await tx.run(sql`insert into lib.lines values (${first}, ${accountId}, ${id}, null, ${`${title} 1`})`)
      await tx.run(sql`insert into lib.lines values (${newId()}, ${accountId}, ${id}, ${first}, ${`${title} 2`})`)
      await files.keep(tx, blob.hash, `lib.page:${id}`)
    })
    return id
  }

  async function titleOf({ accountId }: Person, id: string): Promise<string | undefined> {
    return sides.live.withCaller({ accountId }, async (tx) => {
      const row = await tx.maybe(sql<{ title: Sealed }>`select title from lib.pages where id = ${id}`)
      return row && vaultOf().open(tx, { table: 'lib.pages', column: 'title', row: id, accountId }, row.title)
    })
  }

  const everything = async (account: string): Promise<string> => {
    const { rows } = await archived.admin().query(
      `select coalesce((select string_agg(p::text, ',' order by id) from lib.pages p where account_id = $1), '') ||
        coalesce((select string_agg(l::text, ',' order by id) from lib.lines l where account_id = $1), '') as all`,
      [account],
    )
    return rows[0].all
  }
  const run = (text: string, values: unknown[] = []) => archived.admin().query(text, values)
  const removePage = (id: string) =>
    sides.live.withCaller(mine, async (tx) => {
      const { hash } = await tx.one(sql<{ hash: string }>`select hash from lib.pages where id = ${id}`)
      await media.media.discard(tx, hash, `lib.page:${id}`)
      await tx.run(sql`delete from lib.pages where id = ${id}`)
    })

  const erasures = () => readErasures(archived.places.dataDirectory, plan.store)
  const partsOf = (): MergeParts => ({
    sides,
    vaults: { past: vaultOf(), live: vaultOf() },
    media,
    plan,
    ring: archived.ring,
    dataDirectory: archived.places.dataDirectory,
    readErasures: erasures,
    to: 'then',
  })
  const find = async (subject: Subject = { kind: 'account', accountId: mine.accountId }) =>
    findDifference({ sides, vaults: partsOf().vaults, tables: [lines, pages], erasures: await erasures() }, subject)
  const bring = async (takePast = false, subject?: Subject) => merge(partsOf(), await find(subject), takePast)
  const undoIt = (id: string | undefined) =>
    undo(
      {
        live: sides.live,
        media,
        ring: archived.ring,
        dataDirectory: archived.places.dataDirectory,
        readErasures: erasures,
      },
      id ?? '',
    )

  let page = ''
  let waiting = ''
  let other = ''
  beforeAll(async () => {
    archived = await openArchivedDatabase()
    await run(`set role seaworthy_owner; ${schema} reset role`)
    const { endpoint, admin } = archived.server()
    const live = openDatabase({
      endpoint,
      login: loginOf('app', archived.config.secrets.databaseRoleSecret, endpoint),
      name: 'test',
      limits,
    })
    const { blobs, freshBlobs, dataDirectory } = archived.places
    media = createMedia({
      database: live,
      store: await openDiskStore(blobs, freshBlobs),
      directory: join(dataDirectory, 'media'),
      secret: archived.config.secrets.mediaSecret,
      urlMs: 1_000,
      quotaBytes: QUOTA_BYTES,
      concurrency: 1,
      clock,
    })
    sides = { past: live, live, liveOwner: openDatabase({ endpoint, login: admin, name: 'test', limits }) }
    ;[mine, theirs] = [await makeAccount(live), await makeAccount(live)]
    page = await writePage(mine, 'mine')
    other = await writePage(theirs, 'theirs')
    const job = newId()
    await run(
      `insert into seaworthy.jobs (id, account_id, task, turn, input, attempts_max) values ($1, $2, 'x', 1, '{}', 3)`,
      [job, mine.accountId],
    )
    waiting = await writePage(mine, 'waiting', { waitsFor: job })
    await run(`update seaworthy.jobs set state = 'done', finished_at = now() where id = $1`, [newId()])
    await archived.backUp()
    await archived.archive()
    plan = await planRestore(await archived.store(), parseTarget('latest'))
    const { ring, config } = archived
    past = await openPast(dataDirectory, { plan, ring, restic: findRestic(config.restic), tell: () => undefined })
    sides = {
      ...sides,
      past: openDatabase({ endpoint: past.server.endpoint, login: past.server.admin, name: 'test', limits }),
    }
  })
  afterAll(async () => {
    await sides.past.close()
    await past.close()
    await Promise.all([sides.live.close(), sides.liveOwner.close()])
    expect(readdirSync(join(archived.places.recovery))).not.toContain('looking')
    await archived.close()
  })
  beforeEach(async () => {
    // What earlier ones have left away comes back by the thing itself.
    await bring(true)
    await run('delete from lib.pages where id <> all ($1)', [[page, waiting, other]])
  })

  it('brings back rows, what belongs to them and their files, and nothing of others changes', async () => {
    const before = await everything(theirs.accountId)
    const hash = (await run('select hash from lib.pages where id = $1', [page])).rows[0].hash
    await removePage(page)
    await media.store.delete(`${mine.accountId}/${hash}`)
    const newer = await writePage(mine, 'newer')
    const difference = await find()
    expect(difference.tables.map(({ table, rows }) => [table.name, rows.map(({ kind }) => kind).sort()])).toEqual([
      ['lib.lines', ['only now', 'only now', 'only then', 'only then']],
      ['lib.pages', ['only now', 'only then']],
    ])
    const { tables } = await merge(partsOf(), difference, false)
    expect(tables.map(({ brought, replaced }) => [brought, replaced])).toEqual([
      [2, 0],
      [1, 0],
    ])
    expect(await titleOf(mine, page)).toBe('mine')
    expect((await media.media.readBytes(mine, hash)).toString()).toBe('picture of mine')
    expect(await titleOf(mine, newer)).toBe('newer')
    expect(await everything(theirs.accountId)).toBe(before)
    const { rows } = await run(
      `select account_id, details from seaworthy.audit where action = 'past_brought_back' order by id desc limit 1`,
    )
    expect(rows[0]).toMatchObject({ account_id: mine.accountId, details: { brought: 3, replaced: 0 } })
  })

  it('leaves what was changed since, unless it is told to take the past, and undoes that', async () => {
    await run('update lib.pages set rank = 7 where id = $1', [page])
    expect(await bring()).toMatchObject({ id: undefined, tables: [{}, { left: { 'it was changed since': 1 } }] })
    const { id, tables } = await bring(true)
    expect(tables[1]).toMatchObject({ brought: 0, replaced: 1 })
    const rank = async () => (await run('select rank from lib.pages where id = $1', [page])).rows[0].rank
    expect(await rank()).toBe(1)
    expect(await undoIt(id)).toEqual({ removed: 0, putBack: 1, left: 0 })
    expect(await rank()).toBe(7)
    await expect(undoIt(id)).rejects.toThrow(/no merge/)
  })

  it('sees no change in values that were only sealed again', async () => {
    const { rows } = await run('select title from lib.pages where id = $1', [page])
    await sides.live.withCaller(mine, async (tx) => {
      const title = await vaultOf().seal(
        tx,
        { table: 'lib.pages', column: 'title', row: page, accountId: mine.accountId },
        'mine',
      )
      await tx.run(sql`update lib.pages set title = ${title} where id = ${page}`)
    })
    expect((await run('select title from lib.pages where id = $1', [page])).rows).not.toEqual(rows)
    expect((await find()).tables.flatMap((one) => one.rows)).toEqual([])
  })

  it('takes out again what it brought, but nothing that somebody has touched or uses since', async () => {
    await removePage(page)
    const { id } = await bring()
    await run(`insert into lib.lines values (gen_random_uuid(), $1, $2, null, 'newer')`, [mine.accountId, page])
    expect(await undoIt(id)).toEqual({ removed: 2, putBack: 0, left: 1 })
    expect(await titleOf(mine, page)).toBe('mine')
  })

  it('leaves a row that was changed while somebody looked at the difference', async () => {
    await run('update lib.pages set rank = 7 where id = $1', [page])
    const difference = await find()
    await run('update lib.pages set rank = 8 where id = $1', [page])
    const { tables } = await merge(partsOf(), difference, true)
    expect(tables[1]?.left).toEqual({ 'it was changed while you looked': 1 })
  })

  it('leaves a row whose unique value another one has now', async () => {
    await removePage(page)
    const newer = await writePage(mine, 'newer')
    await run(`update lib.lines set words = 'mine 1' where page_id = $1 and words = 'newer 1'`, [newer])
    const { tables } = await bring()
    expect(tables[0]).toMatchObject({
      brought: 0,
      left: { 'what it belongs to is gone, or another row has its place': 2 },
    })
    expect(tables[1]?.brought).toBe(1)
  })

  it('refuses what would be more than an account may keep, and changes nothing', async () => {
    await removePage(page)
    const kept = await run(
      'select coalesce(sum(bytes), 0)::int as bytes from seaworthy.blobs where account_id = $1 and unused_since is null',
      [mine.accountId],
    )
    const big = await media.media.storeBytes(mine, Buffer.alloc(QUOTA_BYTES - kept.rows[0].bytes, 1), 'image/png')
    await sides.live.withCaller(mine, (tx) => media.media.keep(tx, big.hash, 'lib.page:big'))
    const before = await everything(mine.accountId)
    await expect(bring()).rejects.toMatchObject({ code: 'quota_exceeded' })
    expect(await everything(mine.accountId)).toBe(before)
    await sides.live.withCaller(mine, (tx) => media.media.discard(tx, big.hash, 'lib.page:big'))
  })

  it('brings back a table of everybody, as each of the accounts, and nothing else of them', async () => {
    await run('delete from lib.lines')
    const { tables } = await bring(false, { kind: 'table', table: 'lib.lines' })
    expect(tables).toMatchObject([{ table: 'lib.lines', brought: 6 }])
    const { rows } = await run(`select distinct account_id from seaworthy.audit where action = 'past_brought_back'`)
    expect(rows.map(({ account_id }) => account_id)).toEqual(expect.arrayContaining([mine.accountId, theirs.accountId]))
    await expect(find({ kind: 'table', table: 'seaworthy.ledger' })).rejects.toThrow(/never put back/)
  })

  it('writes as the account only: a table that the app may not write stays as it is', async () => {
    await removePage(page)
    await run('set role seaworthy_owner; revoke insert on lib.pages from seaworthy_app; reset role')
    await expect(bring()).rejects.toThrow(/permission denied/)
    await run('set role seaworthy_owner; grant insert on lib.pages to seaworthy_app; reset role')
  })

  it('brings back nothing of whoever was erased, whatever is asked', async () => {
    const register = openErasureRegister(archived.places.dataDirectory)
    await run('delete from lib.lines')
    const difference = await find({ kind: 'table', table: 'lib.lines' })
    const erasure = {
      userId: theirs.userId,
      accountIds: [theirs.accountId],
      at: new Date().toISOString(),
      state: 'asked' as const,
    }
    await register.add(erasure)
    await expect(merge(partsOf(), difference, false)).rejects.toThrow(/was erased/)
    expect((await run('select count(*)::int as count from lib.lines')).rows[0].count).toBe(0)
    const { tables } = await bring(false, { kind: 'table', table: 'lib.lines' })
    expect(tables).toMatchObject([{ brought: 4, left: { 'its account was erased': 2 } }])
    await expect(find({ kind: 'account', accountId: theirs.accountId })).rejects.toThrow(/erased/)
  })

  it('leaves rows that waited for work that is over', async () => {
    await removePage(waiting)
    const { tables } = await bring()
    expect(tables[1]?.left).toEqual({ 'it waited for work that is over': 1 })
    expect(tables[0]?.left).toEqual({ 'what it belongs to is gone, or another row has its place': 2 })
  })
})
