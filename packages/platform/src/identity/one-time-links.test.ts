import { newId } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Transaction } from '../data/index.ts'
import { endLinks, type LinkKind, makeLink, peekLink, useLink } from './one-time-links.ts'

const HOUR = 3_600_000
const expired = { code: 'link_expired' }

describe('a one-time link', () => {
  let test: TestDatabase
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())
  const clock = turnableClock(Date.now())
  const onDuty = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => test.database.withDuty('identity', work)

  async function make(kind: LinkKind = 'password_reset', owner?: Awaited<ReturnType<TestDatabase['makeAccount']>>) {
    const { userId } = owner ?? (await test.makeAccount())
    const link = { kind, userId, email: 'ann@example.com', lifeMs: HOUR }
    const { token } = await onDuty((tx) => makeLink(tx, link, clock))
    return { token, userId }
  }
  const use = (token: string, kind: LinkKind = 'password_reset') => onDuty((tx) => useLink(tx, [kind], token, clock))

  it('works once, also for ten who use it at the same time', async () => {
    const { token, userId } = await make()
    const outcomes = await Promise.allSettled(Array.from({ length: 10 }, () => use(token)))
    const [won, ...others] = outcomes.sort((a, b) => a.status.localeCompare(b.status))
    expect(won).toMatchObject({ status: 'fulfilled', value: { userId, email: 'ann@example.com' } })
    for (const lost of others) expect(lost).toMatchObject({ status: 'rejected', reason: expired })
  })

  it('is as good as before when what it was for was undone', async () => {
    const { token } = await make()
    const undone = onDuty(async (tx) => {
      await useLink(tx, ['password_reset'], token, clock)
      throw new Error('undone')
    })
    await expect(undone).rejects.toThrow('undone')
    await onDuty((tx) => peekLink(tx, 'password_reset', token, clock))
    await use(token)
  })

  it('ends with its time, with a newer one of its kind, and when it is ended', async () => {
    const owner = await test.makeAccount()
    const first = await make('password_reset', owner)
    const other = await make('email_verify', owner)
    const second = await make('password_reset', owner)
    await expect(use(first.token)).rejects.toMatchObject(expired)
    clock.turn(HOUR)
    await expect(use(second.token)).rejects.toMatchObject(expired)
    await expect(use(other.token, 'email_verify')).rejects.toMatchObject(expired)
    const third = await make('password_reset', owner)
    const stranger = await make()
    await onDuty((tx) => endLinks(tx, { userId: owner.userId }, clock))
    await expect(use(third.token)).rejects.toMatchObject(expired)
    await use(stranger.token)
  })

  it('is good for its kind only, and no guess is one', async () => {
    const { token } = await make('email_verify')
    await expect(use(token)).rejects.toMatchObject(expired)
    for (const guess of ['', 'x', token.slice(0, -1), `${token}A`, token.toLowerCase(), 'A'.repeat(43)])
      await expect(use(guess, 'email_verify'), guess).rejects.toMatchObject(expired)
    await use(token, 'email_verify')
  })

  it('can belong to nobody yet, and is then about one thing', async () => {
    const [one, another] = [newId(), newId()]
    const invite = (about: string) =>
      onDuty((tx) => makeLink(tx, { kind: 'invitation', email: 'ben@example.com', about, lifeMs: HOUR }, clock))
    const [first, other] = [await invite(one), await invite(another)]
    const again = await invite(one)
    await expect(use(first.token, 'invitation')).rejects.toMatchObject(expired)
    expect(await use(again.token, 'invitation')).toEqual({
      kind: 'invitation',
      email: 'ben@example.com',
      userId: null,
      about: one,
    })
    await onDuty((tx) => endLinks(tx, { kind: 'invitation', about: another }, clock))
    await expect(use(other.token, 'invitation')).rejects.toMatchObject(expired)
  })

  it('is kept as a hash, where only identity looks', async () => {
    const { token } = await make()
    const { rows } = await test.admin.query(`select l::text as t from seaworthy.one_time_links l`)
    const dump = rows.map((row) => row.t).join('\n')
    expect(dump).not.toContain(token)
    expect(dump).not.toContain(Buffer.from(token, 'base64url').toString('hex'))
    for (const duty of ['operations', 'janitor', 'mail', 'realtime'] as const)
      await expect(
        test.database.withDuty(duty, (tx) => peekLink(tx, 'password_reset', token, clock)),
      ).rejects.toMatchObject(expired)
  })
})
