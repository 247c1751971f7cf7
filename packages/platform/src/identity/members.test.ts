import { type Caller, Secret } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock, until } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { openKeyRing, openVault } from '../vault/index.ts'
import { type Identity, openIdentity } from './identity.ts'
import type { SignedIn } from './parts.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const device = { network: '127.0.x.x', name: 'test' }

describe('accounts of several people', () => {
  let test: TestDatabase
  const clock = turnableClock(Date.now())
  /** Two processes of one installation. */
  let here: Identity
  let elsewhere: Identity
  beforeAll(async () => {
    test = await openTestDatabase()
    ;[here, elsewhere] = [await open(), await open()]
  })
  afterAll(async () => {
    await here.stop()
    await elsewhere.stop()
    await test.close()
  })

  const open = () =>
    openIdentity({
      database: test.database,
      vault: openVault({ ring: openKeyRing(test.config) }),
      publicUrl: 'https://boats.example',
      accessSecret: new Secret('an access secret with enough of everything 42'),
      refreshSecret: new Secret('a refresh secret that is something else 43'),
      accessMs: 15 * MINUTE,
      refreshMs: 70 * DAY,
      sessionMs: 300 * DAY,
      signingKeyMs: 900 * DAY,
      clock,
      log: createMemoryLogger(),
    })
  let people = 0
  const somebody = async (): Promise<SignedIn & { email: string }> => {
    const email = `member${++people}@example.com`
    return { ...(await here.signUp({ email, password: 'a long enough password' }, device)), email }
  }

  /** A shared account with its owner in it. */
  async function office() {
    const owner = await somebody()
    const { id } = await here.accounts.create(owner.caller, 'Office')
    return { id, owner: (await here.accounts.switchTo(owner.caller, id)).caller }
  }
  async function join(owner: Caller, role: 'viewer' | 'member' | 'admin') {
    const person = await somebody()
    const { token } = await here.invitations.invite(owner, { email: person.email, role })
    await here.invitations.accept(person.caller, token)
    const access = await here.accounts.switchTo(person.caller, owner.accountId)
    return { ...person, caller: access.caller, accessToken: access.accessToken, home: person.caller.accountId }
  }
  const roleOf = async (caller: Caller, userId: string) =>
    (await here.members.list(caller)).find((member) => member.userId === userId)?.role
  const refusal = (code: string) => expect.objectContaining({ code })

  it('makes an account with its maker as the owner, and lists it after the personal one', async () => {
    const { id, owner } = await office()
    expect(owner).toMatchObject({ accountId: id, role: 'owner' })
    expect(await here.accounts.list(owner)).toMatchObject([
      { personal: true, role: 'owner', members: 1 },
      { id, personal: false, name: 'Office', role: 'owner', members: 1 },
    ])
    await here.accounts.rename(owner, id, 'Harbour')
    expect((await here.accounts.list(owner)).map((account) => account.name)).toEqual(['Personal', 'Harbour'])
  })

  it('lets one person make twenty accounts and no more, also when asked at once', async () => {
    const { caller } = await somebody()
    const made = await Promise.allSettled(Array.from({ length: 24 }, (_, i) => here.accounts.create(caller, `A${i}`)))
    expect(made.filter((one) => one.status === 'fulfilled')).toHaveLength(20)
    expect(await here.accounts.list(caller)).toHaveLength(21)
  })

  it('stays in the account that was switched to, and refuses the tokens from before in every process', async () => {
    const person = await somebody()
    const { id } = await here.accounts.create(person.caller, 'Boats')
    const { accessToken, caller } = await here.accounts.switchTo(person.caller, id)
    expect(caller.accountId).toBe(id)
    expect((await here.identify(accessToken)).accountId).toBe(id)
    await expect((async () => here.identify(person.accessToken))()).rejects.toEqual(refusal('token_expired'))
    await until(
      'the other process refuses it too',
      () => refuses(elsewhere, person.accessToken, 'token_expired'),
      1_500,
    )
    expect((await elsewhere.identify(accessToken)).accountId).toBe(id)
    expect((await here.refresh(person.refreshToken)).caller).toMatchObject({ accountId: id, role: 'owner' })
  })

  it('does not let anybody switch into an account that is not theirs', async () => {
    const { id } = await office()
    const stranger = await somebody()
    await expect(here.accounts.switchTo(stranger.caller, id)).rejects.toEqual(refusal('not_found'))
    expect((await here.refresh(stranger.refreshToken)).caller.accountId).toBe(stranger.caller.accountId)
  })

  it('lets admins decide about members and viewers only, and owners about everybody', async () => {
    const { owner } = await office()
    const [admin, other, member] = [await join(owner, 'admin'), await join(owner, 'admin'), await join(owner, 'member')]
    const may = (who: Caller, whom: string, role: Caller['role']) => here.members.changeRole(who, whom as never, role)
    await may(admin.caller, member.caller.userId, 'viewer')
    await may(admin.caller, member.caller.userId, 'member')
    for (const [whom, role] of [
      [member.caller.userId, 'admin'],
      [member.caller.userId, 'owner'],
      [other.caller.userId, 'member'],
      [owner.userId, 'viewer'],
      [admin.caller.userId, 'owner'],
    ] as const)
      await expect(may(admin.caller, whom, role), `${role}`).rejects.toEqual(refusal('forbidden'))
    await expect(may(member.caller, member.caller.userId, 'owner')).rejects.toEqual(refusal('forbidden'))
    await expect(here.members.remove(admin.caller, other.caller.userId)).rejects.toEqual(refusal('forbidden'))
    await may(owner, member.caller.userId, 'owner')
    expect(await roleOf(owner, member.caller.userId)).toBe('owner')
  })

  it('takes a role away in every process within a second: from tokens, from refreshes and from keys', async () => {
    const { owner } = await office()
    const admin = await join(owner, 'admin')
    const { key } = await here.apiKeys.create(admin.caller, { name: 'k', role: 'admin', scopes: ['cosnap:read'] })
    expect((await elsewhere.identify(key)).role).toBe('admin')
    await elsewhere.identify(admin.accessToken)
    await here.members.changeRole(owner, admin.caller.userId, 'viewer')
    await until('the token is refused', () => refuses(elsewhere, admin.accessToken, 'token_expired'), 1_500)
    await until('the key does less', async () => (await elsewhere.identify(key)).role === 'viewer', 1_500)
    expect((await elsewhere.refresh(admin.refreshToken)).caller).toMatchObject({
      role: 'viewer',
      accountId: owner.accountId,
    })
    await expect(
      here.apiKeys.create(admin.caller, { name: 'k', role: 'member', scopes: ['cosnap:read'] }),
    ).rejects.toEqual(refusal('forbidden'))
  })

  it('sends whoever is removed home within a second, everywhere, and revokes their keys and open links', async () => {
    const { id, owner } = await office()
    const admin = await join(owner, 'admin')
    const { key } = await here.apiKeys.create(admin.caller, { name: 'k', role: 'admin', scopes: ['cosnap:read'] })
    const { token } = await here.invitations.invite(admin.caller, { email: 'later@example.com', role: 'viewer' })
    await elsewhere.identify(key)
    await elsewhere.identify(admin.accessToken)
    await here.members.remove(owner, admin.caller.userId)
    await until('the token is refused', () => refuses(elsewhere, admin.accessToken, 'token_expired'), 1_500)
    await until('the key is refused', () => refuses(elsewhere, key, 'unauthenticated'), 1_500)
    expect((await elsewhere.refresh(admin.refreshToken)).caller).toMatchObject({ accountId: admin.home, role: 'owner' })
    await expect(here.invitations.read(owner, token)).rejects.toEqual(refusal('link_expired'))
    await expect(here.accounts.switchTo(admin.caller, id)).rejects.toEqual(refusal('not_found'))
    await expect(
      here.apiKeys.create(admin.caller, { name: 'k', role: 'viewer', scopes: ['cosnap:read'] }),
    ).rejects.toEqual(refusal('forbidden'))
    await expect(here.members.changeRole(admin.caller, owner.userId, 'viewer')).rejects.toEqual(refusal('forbidden'))
  })

  it('keeps one owner when two owners demote, remove or leave each other at the same moment', async () => {
    for (let round = 0; round < 8; round++) {
      const { owner } = await office()
      const second = await join(owner, 'member')
      await here.members.changeRole(owner, second.caller.userId, 'owner')
      const both: readonly [Caller, Caller][] = [
        [owner, second.caller],
        [second.caller, owner],
      ]
      const done = await Promise.allSettled(
        both.map(([who, whom]) => {
          if (round % 3 === 0) return here.members.changeRole(who, whom.userId, 'member')
          if (round % 3 === 1) return here.members.remove(who, whom.userId)
          return here.members.leave(who)
        }),
      )
      expect(done.filter((one) => one.status === 'fulfilled').length, `round ${round}`).toBe(1)
      const { rows } = await test.admin.query(
        `select count(*)::int as owners from seaworthy.memberships where account_id = $1 and role = 'owner'`,
        [owner.accountId],
      )
      expect(rows[0].owners).toBe(1)
    }
  })

  it('lets everybody leave but the last owner, and nobody their personal account', async () => {
    const { owner } = await office()
    const member = await join(owner, 'member')
    const home = await here.members.leave(member.caller)
    expect(home.caller).toMatchObject({ accountId: member.home, role: 'owner' })
    expect((await here.identify(home.accessToken)).accountId).toBe(member.home)
    await expect(here.members.leave(owner)).rejects.toEqual(refusal('last_owner'))
    await expect(here.members.changeRole(owner, owner.userId, 'admin')).rejects.toEqual(refusal('last_owner'))
    await expect(here.members.leave(home.caller)).rejects.toEqual(refusal('conflict'))
  })

  it('keeps a personal account for one person, also in the database', async () => {
    const [one, two] = [await somebody(), await somebody()]
    await expect(here.invitations.invite(one.caller, { email: two.email, role: 'viewer' })).rejects.toEqual(
      refusal('conflict'),
    )
    await expect(
      test.admin.query(`insert into seaworthy.memberships (account_id, user_id, role) values ($1, $2, 'viewer')`, [
        one.caller.accountId,
        two.caller.userId,
      ]),
    ).rejects.toThrow('a personal account has one member')
  })

  it('gives a link to its address only, once, for a week, and not after it was taken back or replaced', async () => {
    const { owner } = await office()
    const [guest, thief] = [await somebody(), await somebody()]
    const invite = () => here.invitations.invite(owner, { email: guest.email.toUpperCase(), role: 'viewer' })
    const accept = (who: Caller, token: string) => here.invitations.accept(who, token)
    const replaced = await invite()
    const first = await invite()
    await expect(accept(guest.caller, replaced.token)).rejects.toEqual(refusal('link_expired'))
    expect(await here.invitations.read(thief.caller, first.token)).toMatchObject({
      account: 'Office',
      forCaller: false,
    })
    await expect(accept(thief.caller, first.token)).rejects.toEqual(refusal('invitation_for_another'))
    await here.invitations.revoke(owner, first.id)
    await expect(accept(guest.caller, first.token)).rejects.toEqual(refusal('link_expired'))
    await expect(here.invitations.revoke(thief.caller, first.id)).rejects.toEqual(refusal('not_found'))
    const late = await invite()
    clock.turn(7 * DAY + 1_000)
    await expect(accept(guest.caller, late.token)).rejects.toEqual(refusal('link_expired'))
    const good = await invite()
    expect(await here.invitations.list(owner)).toMatchObject([{ id: good.id, role: 'viewer' }])
    const answers = await Promise.allSettled(Array.from({ length: 5 }, () => accept(guest.caller, good.token)))
    expect(answers.filter((one) => one.status === 'fulfilled')).toHaveLength(1)
    expect(await roleOf(owner, guest.caller.userId)).toBe('viewer')
    await expect(invite()).rejects.toEqual(refusal('conflict'))
  })

  it('invites fifty addresses in a day from one account, and from one person over all accounts', async () => {
    const { owner } = await office()
    for (let i = 0; i < 50; i++) await here.invitations.invite(owner, { email: `g${i}@example.com`, role: 'viewer' })
    const again = (who: Caller) => here.invitations.invite(who, { email: 'one-more@example.com', role: 'viewer' })
    await expect(again(owner)).rejects.toEqual(refusal('too_many_requests'))
    const { id } = await here.accounts.create(owner, 'Another')
    const there = await here.accounts.switchTo(owner, id)
    await expect(again(there.caller)).rejects.toEqual(refusal('too_many_requests'))
    clock.turn(DAY + 1_000)
    await again(there.caller)
  })

  it('sends the link by mail with the invitation, and none where there is no invitation', async () => {
    const { owner } = await office()
    const { token } = await here.invitations.invite(owner, { email: 'by-mail@example.com', role: 'viewer' })
    await expect(
      here.invitations.invite(owner, { email: 'by-mail@example.com', role: 'viewer' }, () => {
        throw new Error('undone')
      }),
    ).rejects.toThrow('undone')
    const { rows } = await test.admin.query(
      `select body->'action'->>'url' as url from seaworthy.mail where recipient = 'by-mail@example.com'`,
    )
    expect(rows).toEqual([{ url: `https://boats.example/join#token=${token}` }])
  })

  it('keeps nothing of a link that would open it', async () => {
    const { owner } = await office()
    const { token } = await here.invitations.invite(owner, { email: 'kept@example.com', role: 'viewer' })
    const { rows } = await test.admin.query('select i::text as row from seaworthy.invitations i')
    expect(rows.some(({ row }) => row.includes(token))).toBe(false)
  })
})

async function refuses(identity: Identity, token: string, code: string): Promise<boolean> {
  try {
    await identity.identify(token)
    return false
  } catch (error) {
    return (error as { code?: string }).code === code
  }
}
