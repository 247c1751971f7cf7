import { pause, Secret } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock, until } from '@seaworthy/testkit'
import { SignJWT } from 'jose'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { openKeyRing, openVault } from '../vault/index.ts'
import { type Identity, openIdentity } from './identity.ts'
import { makeFirstOperatorLink } from './operator-link.ts'

const MINUTE = 60_000
const DAY = 24 * 60 * MINUTE
const device = { network: '127.0.x.x', name: 'test' }
const secret = new Secret('an access secret with enough of everything 42')

describe('identity', () => {
  let test: TestDatabase
  const opened: Identity[] = []
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(async () => {
    for (const identity of opened) await identity.stop()
    await test.close()
  })

  async function open(clock = turnableClock(Date.now())) {
    const identity = await openIdentity({
      database: test.database,
      vault: openVault({ ring: openKeyRing(test.config) }),
      publicUrl: 'http://localhost:3000',
      accessSecret: secret,
      refreshSecret: new Secret('a refresh secret that is something else 43'),
      accessMs: 15 * MINUTE,
      refreshMs: 7 * DAY,
      sessionMs: 30 * DAY,
      signingKeyMs: 90 * DAY,
      clock,
      log: createMemoryLogger(),
    })
    opened.push(identity)
    return { identity, clock }
  }
  let people = 0
  const somebody = () => ({ email: `Person${++people}@Example.com`, password: 'a long enough password' })

  it('signs in with the password only, whatever the case of the address', async () => {
    const { identity } = await open()
    const person = somebody()
    await identity.signUp(person, device)
    await expect(identity.signIn({ ...person, password: 'wrong' }, device)).rejects.toMatchObject({
      code: 'wrong_credentials',
    })
    const signedIn = await identity.signIn({ ...person, email: person.email.toUpperCase() }, device)
    if ('ticket' in signedIn) throw new Error('nobody asked for a second factor')
    expect((await identity.identify(signedIn.accessToken)).userId).toBe(signedIn.caller.userId)
    await expect(identity.signUp({ ...person, email: person.email.toLowerCase() }, device)).rejects.toMatchObject({
      code: 'email_taken',
    })
  })

  it('takes as long for an unknown address as for a wrong password', async () => {
    const { identity } = await open()
    const person = somebody()
    await identity.signUp(person, device)
    const time = async (email: string): Promise<number> => {
      const started = performance.now()
      await identity.signIn({ email, password: 'wrong password' }, device).catch(() => undefined)
      return performance.now() - started
    }
    const median = (values: number[]): number => values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0
    const known: number[] = []
    const unknown: number[] = []
    for (let i = 0; i < 15; i++) {
      known.push(await time(person.email))
      unknown.push(await time('nobody@example.com'))
    }
    const ratio = median(unknown) / median(known)
    expect(ratio).toBeGreaterThan(0.2)
    expect(ratio).toBeLessThan(5)
  })

  it('refuses tokens that it did not sign, or that are unsigned, altered or old', async () => {
    const { identity, clock } = await open()
    const { accessToken } = await identity.signUp(somebody(), device)
    const [head = '', body = '', signature = ''] = accessToken.split('.')
    const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url')
    const claims = JSON.parse(Buffer.from(body, 'base64url').toString())
    const foreign = await new SignJWT(claims)
      .setProtectedHeader({ alg: 'HS256', typ: 'at+jwt' })
      .sign(new TextEncoder().encode('another secret of thirty-two bytes!'))
    const forged = [
      '',
      'x',
      'a.b.c',
      `${encode({ alg: 'none', typ: 'at+jwt' })}.${body}.`,
      `${head}.${encode({ ...claims, rol: 'owner', ops: true })}.${signature}`,
      `${head}.${body}.${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`,
      foreign,
      `${encode({ alg: 'HS512', typ: 'at+jwt' })}.${body}.${signature}`,
    ]
    for (const token of forged)
      await expect((async () => identity.identify(token))(), token).rejects.toMatchObject({ code: 'unauthenticated' })
    await identity.identify(accessToken)
    clock.turn(16 * MINUTE)
    await expect((async () => identity.identify(accessToken))()).rejects.toMatchObject({ code: 'token_expired' })
  })

  it('ends a sign-in when a used refresh token comes back, also for whoever holds the new one', async () => {
    const { identity, clock } = await open()
    const first = await identity.signUp(somebody(), device)
    const second = await identity.refresh(first.refreshToken)
    clock.turn(11_000)
    await expect(identity.refresh(first.refreshToken)).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect(identity.refresh(second.refreshToken)).rejects.toMatchObject({ code: 'unauthenticated' })
    await expect((async () => identity.identify(second.accessToken))()).rejects.toMatchObject({
      code: 'unauthenticated',
    })
  })

  it('ends a sign-in at once when a token older than the last one comes back', async () => {
    const { identity } = await open()
    const first = await identity.signUp(somebody(), device)
    const second = await identity.refresh(first.refreshToken)
    await identity.refresh(second.refreshToken)
    await expect(identity.refresh(first.refreshToken)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it('gives a lost answer again for ten seconds: ten refreshes at once make one new token', async () => {
    const { identity } = await open()
    const { refreshToken } = await identity.signUp(somebody(), device)
    const answers = await Promise.all(Array.from({ length: 10 }, () => identity.refresh(refreshToken)))
    expect(new Set(answers.map((answer) => answer.refreshToken)).size).toBe(1)
    await identity.refresh(answers[0]?.refreshToken ?? '')
  })

  it('does not end a sign-in for a made-up refresh token', async () => {
    const { identity } = await open()
    const signedIn = await identity.signUp(somebody(), device)
    const [session, random] = signedIn.refreshToken.split('.')
    for (const forged of [`${session}.${random}.AAAAAAAAAAAAAAAAAAAAAA`, `${session}.x.y`, 'x', '']) {
      await expect(identity.refresh(forged)).rejects.toMatchObject({ code: 'unauthenticated' })
    }
    await identity.refresh(signedIn.refreshToken)
  })

  it('forgets a sign-in that was not used for seven days', async () => {
    const { identity, clock } = await open()
    const { refreshToken } = await identity.signUp(somebody(), device)
    clock.turn(8 * DAY)
    await expect(identity.refresh(refreshToken)).rejects.toMatchObject({ code: 'unauthenticated' })
  })

  it.each([
    ['as the database', 0],
    ['half a minute ahead of the database', 30_000],
    ['half a minute behind the database', -30_000],
  ])(
    'ends access in every process within a second of a sign-out in one of them, with a clock %s',
    async (_, aheadMs) => {
      const now = () => turnableClock(Date.now() + aheadMs)
      const [{ identity: here }, { identity: there }] = [await open(now()), await open(now())]
      const { accessToken, caller } = await here.signUp(somebody(), device)
      await there.identify(accessToken)
      // The other process has asked once already.
      await pause(1_200)
      await here.signOut(caller.sessionId)
      await expect((async () => here.identify(accessToken))()).rejects.toMatchObject({ code: 'unauthenticated' })
      await until(
        'the other process refuses too',
        async () => {
          try {
            await there.identify(accessToken)
            return false
          } catch {
            return true
          }
        },
        1_000,
      )
    },
  )

  it('makes one operator from one link', async () => {
    const { identity, clock } = await open()
    const link = await makeFirstOperatorLink(test.database, clock)
    const another = await makeFirstOperatorLink(test.database, clock)
    expect(link).toBeDefined()
    await expect(identity.signUp(somebody(), device, { operatorToken: 'a guess' })).rejects.toMatchObject({
      code: 'link_expired',
    })
    const operator = await identity.signUp(somebody(), device, { operatorToken: link })
    expect(operator.caller.operator).toBe(true)
    await expect(identity.signUp(somebody(), device, { operatorToken: link })).rejects.toMatchObject({
      code: 'link_expired',
    })
    await expect(identity.signUp(somebody(), device, { operatorToken: another })).rejects.toMatchObject({
      code: 'link_expired',
    })
    expect(await makeFirstOperatorLink(test.database, clock)).toBeUndefined()
  })

  it('stores neither passwords nor tokens', async () => {
    const { identity } = await open()
    const person = somebody()
    const { refreshToken, accessToken } = await identity.signUp(person, device)
    const { rows } = await test.admin.query(
      `select u::text as t from seaworthy.users u union all select s::text from seaworthy.sessions s`,
    )
    const dump = rows.map((row) => row.t).join('\n')
    for (const hidden of [person.password, refreshToken, refreshToken.split('.')[1] ?? '', accessToken])
      expect(dump).not.toContain(hidden)
    expect(dump).toContain('$argon2id$')
  })
})
