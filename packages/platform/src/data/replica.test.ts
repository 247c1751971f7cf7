import { type AccountId, fault, type UserId } from '@seaworthy/core'
import { openReplicatedDatabase, type ReplicatedDatabase, until } from '@seaworthy/testkit'
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest'
import { following, type Seen } from './positions.ts'
import { openReplica, type Replica, type ReplicaSettings } from './replica.ts'
import { sql } from './sql.ts'

type Account = { readonly accountId: AccountId; readonly userId: UserId }
type Read = Parameters<ReplicaSettings['count']>[0]

/** Short, so that no test waits for the real one; the claim DAT-12 does. */
const LAG_MAX_MS = 1_500

describe('a read replica', () => {
  let pair: ReplicatedDatabase
  let replica: Replica
  let reads: Read[]
  let told: string[]
  beforeAll(async () => {
    pair = await openReplicatedDatabase()
    await pair.test.admin.query(`
      set role seaworthy_owner;
      create schema proof;
      grant usage on schema proof to seaworthy_app;
      create table proof.notes (account_id uuid primary key, words text not null);
      call seaworthy.protect('proof.notes', 'seaworthy_app');
      grant update on proof.notes to seaworthy_app;
      reset role`)
  }, 60_000)
  afterAll(() => pair.close())
  beforeEach(async () => {
    reads = []
    told = []
    replica = open(pair.standby.endpoint)
    await until('the replica is used', () => replica.problem() === undefined)
  })
  afterEach(() => replica.close())

  function open(endpoint: ReplicaSettings['endpoint']): Replica {
    return openReplica({
      primary: pair.test.database,
      primaryEndpoint: pair.test.endpoint,
      endpoint,
      login: pair.test.appLogin,
      name: 'test',
      limits: { max: 4, waitMs: 5_000, statementMs: 10_000, transactionMs: 30_000 },
      lagMaxMs: LAG_MAX_MS,
      onJoin: () => told.push('joined'),
      onLeave: (why) => told.push(`left: ${why}`),
      count: (read) => reads.push(read),
    })
  }

  const write = (account: Account, words: string, seen: Seen) =>
    following(seen, () =>
      replica.database.withCaller(account, (tx) =>
        tx.run(
          sql`insert into proof.notes values (${account.accountId}, ${words}) on conflict (account_id) do update set words = excluded.words`,
        ),
      ),
    )
  const read = (account: Account, seen: Seen) =>
    following(seen, () =>
      replica.database.withCaller(
        account,
        async (tx) => (await tx.many(sql<{ words: string }>`select words from proof.notes`)).map((row) => row.words),
        { readOnly: true, mayLag: true },
      ),
    )
  /** Until the replica has answered with all that was seen. */
  const readThere = (account: Account, seen: Seen) =>
    until('the replica answers', async () => {
      const words = await read(account, { ...seen })
      return reads.at(-1)?.by === 'replica' && words
    })

  it('answers what has been replayed, as the same caller and to nobody else', async () => {
    const [a, b] = [await pair.test.makeAccount(), await pair.test.makeAccount()]
    const seen: Seen = { position: undefined }
    await write(a, 'mine', seen)
    expect(seen.position).toBeGreaterThan(0)
    expect(await readThere(a, seen)).toEqual(['mine'])
    expect(await readThere(b, seen)).toEqual([])
  })

  it('lets nobody write on it', async () => {
    const a = await pair.test.makeAccount()
    const seen: Seen = { position: undefined }
    await write(a, 'first', seen)
    await readThere(a, seen)
    const change = following(seen, () =>
      replica.database.withCaller(a, (tx) => tx.run(sql`update proof.notes set words = 'second'`), {
        readOnly: true,
        mayLag: true,
      }),
    )
    await expect(change).rejects.toMatchObject({ code: 'unavailable' })
    expect(await readThere(a, seen)).toEqual(['first'])
  })

  it('gives whoever has shown nothing the primary, and a position for the next time', async () => {
    const a = await pair.test.makeAccount()
    await write(a, 'words', { position: undefined })
    const seen: Seen = { position: undefined }
    expect(await read(a, seen)).toEqual(['words'])
    expect(reads).toEqual([{ by: 'primary', why: 'unseen' }])
    expect(seen.position).toBeGreaterThan(0)
  })

  it('reads from the primary what it has not replayed, and from the replica what it has', async () => {
    const a = await pair.test.makeAccount()
    const seen: Seen = { position: undefined }
    await write(a, 'before', seen)
    await readThere(a, seen)
    await pair.standby.pauseReplay()
    try {
      const old = { ...seen }
      await write(a, 'after', seen)
      for (let i = 0; i < 20; i++) expect(await read(a, { ...seen })).toEqual(['after'])
      expect(reads.at(-1)).toEqual({ by: 'primary', why: 'behind' })
      // That the pause is real: who has not seen the change is still answered there.
      expect(await read(a, old)).toEqual(['before'])
      expect(reads.at(-1)).toEqual({ by: 'replica', why: '' })
    } finally {
      await pair.standby.resumeReplay()
    }
    expect(await readThere(a, seen)).toEqual(['after'])
  })

  it('does not believe a connection that is behind the one that was asked', async () => {
    const a = await pair.test.makeAccount()
    const seen: Seen = { position: undefined }
    await write(a, 'before', seen)
    await readThere(a, seen)
    await pair.standby.pauseReplay()
    try {
      await write(a, 'after', seen)
      const { openDatabase } = await import('./database.ts')
      const limits = { max: 1, waitMs: 1_000, statementMs: 1_000, transactionMs: 1_000 }
      const behind = openDatabase({ endpoint: pair.standby.endpoint, login: pair.test.appLogin, name: 'test', limits })
      const since = seen.position ?? 0
      const words = sql<{ words: string }>`select words from proof.notes where words = 'after'`
      // Neither what it says nor what it does not find.
      await expect(behind.withCaller(a, (tx) => tx.many(words), { since })).rejects.toThrow(/has not replayed/)
      await expect(behind.withCaller(a, (tx) => tx.one(words), { since })).rejects.toThrow(/has not replayed/)
      await behind.close()
    } finally {
      await pair.standby.resumeReplay()
    }
  })

  it('shows no state older than the bound, leaves, and comes back', async () => {
    const [a, b] = [await pair.test.makeAccount(), await pair.test.makeAccount()]
    const old: Seen = { position: undefined }
    await write(a, 'old', old)
    await readThere(a, old)
    await pair.standby.pauseReplay()
    const changedMs = performance.now()
    await write(a, 'new', { position: undefined })
    let lastOldMs = 0
    try {
      await until('the replica has left', async () => {
        const askedMs = performance.now()
        if ((await read(a, { ...old }))[0] === 'old') lastOldMs = askedMs
        return replica.problem()
      })
      expect(told.at(-1)).toMatch(/^left: it is [\d.]+ s behind/)
      expect(lastOldMs - changedMs).toBeGreaterThan(0)
      expect(lastOldMs - changedMs).toBeLessThan(LAG_MAX_MS + 100)
      expect(await read(a, { ...old })).toEqual(['new'])
      expect(reads.at(-1)).toEqual({ by: 'primary', why: 'away' })
    } finally {
      await pair.standby.resumeReplay()
    }
    await until('the replica is back', () => replica.problem() === undefined)
    expect(told.at(-1)).toBe('joined')
    await write(b, 'there', old)
    expect(await readThere(b, old)).toEqual(['there'])
  })

  it('is not taken for stale while nobody writes', async () => {
    const endMs = performance.now() + 2 * LAG_MAX_MS
    await until('nothing was written for a while', () => performance.now() > endMs)
    expect(told).toEqual(['joined'])
  })

  it('fails no request when it freezes, and answers again when it runs', async () => {
    const a = await pair.test.makeAccount()
    const seen: Seen = { position: undefined }
    await write(a, 'words', seen)
    await readThere(a, seen)
    pair.standby.signal('SIGSTOP')
    try {
      const startedMs = performance.now()
      const answers = await Promise.all(Array.from({ length: 20 }, () => read(a, { ...seen })))
      expect(answers.flat()).toEqual(Array(20).fill('words'))
      expect(performance.now() - startedMs).toBeLessThan(9_000)
      await until('it has left', () => told.at(-1)?.startsWith('left: it does not answer'))
    } finally {
      pair.standby.signal('SIGCONT')
    }
    expect(await readThere(a, seen)).toEqual(['words'])
  })

  it('is done without until somebody answers at its address', async () => {
    const away = open({ ...pair.standby.endpoint, port: 9 })
    const a = await pair.test.makeAccount()
    await until('it was tried', () => away.problem()?.startsWith('it does not answer'))
    const words = sql<{ words: string }>`select words from proof.notes`
    await following({ position: 1 }, () => away.database.withCaller(a, (tx) => tx.many(words), { mayLag: true }))
    expect(reads).toEqual([{ by: 'primary', why: 'away' }])
    await away.close()
  })

  it('refuses a server that is no standby', async () => {
    const itself = open(pair.test.endpoint)
    await until('it was tried', () => itself.problem() === 'it is no standby')
    await itself.close()
  })

  it('tells a refusal of the handler from a failure of its own', async () => {
    const a = await pair.test.makeAccount()
    const seen: Seen = { position: undefined }
    await write(a, 'words', seen)
    await readThere(a, seen)
    reads = []
    const refused = following(seen, () =>
      replica.database.withCaller(a, () => Promise.reject(fault('not_found')), { mayLag: true }),
    )
    await expect(refused).rejects.toMatchObject({ code: 'not_found' })
    expect(reads).toEqual([])
    // Only the primary can do this one: it is done again there.
    const there = await following({ ...seen }, () =>
      replica.database.withCaller(a, (tx) => tx.one(sql<{ id: string }>`select pg_current_xact_id()::text as id`), {
        mayLag: true,
      }),
    )
    expect(Number(there.id)).toBeGreaterThan(0)
    expect(reads).toEqual([{ by: 'primary', why: 'failed' }])
  })
})
