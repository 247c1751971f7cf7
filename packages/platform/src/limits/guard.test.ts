import { fault, MINUTE, Secret } from '@seaworthy/core'
import { openTestDatabase, type TestDatabase, turnableClock } from '@seaworthy/testkit'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { createMemoryLogger } from '../telemetry/index.ts'
import { createGuard, type Guess } from './guard.ts'

describe('the guard', () => {
  let test: TestDatabase
  const clock = turnableClock()
  const open = (secret = 'a secret of some length, for tests') =>
    createGuard({ database: test.database, secret: new Secret(secret), clock, log: createMemoryLogger() })
  beforeAll(async () => {
    test = await openTestDatabase()
  })
  afterAll(() => test.close())

  const right = () => Promise.resolve('in')
  const wrong = () => Promise.reject(fault('wrong_credentials'))
  const outcome = (guess: Guess, work: () => Promise<unknown> = wrong, guard = open()): Promise<string> =>
    guard.protect(guess, work).then(
      () => 'in',
      (error: { code?: string; message: string }) => error.code ?? error.message,
    )
  const repeat = async (times: number, guess: Guess): Promise<string[]> => {
    const outcomes: string[] = []
    for (let i = 0; i < times; i++) outcomes.push(await outcome(guess))
    return outcomes
  }

  it('lets no more guesses through when they come all at once', async () => {
    const all = await Promise.all(
      Array.from({ length: 30 }, () => outcome({ kind: 'password', subject: 'parallel@example.com' })),
    )
    expect(all.filter((code) => code === 'wrong_credentials')).toHaveLength(5)
    expect(all.filter((code) => code === 'too_many_requests')).toHaveLength(25)
  })

  it('counts an address as one however it is typed, and others apart', async () => {
    await repeat(3, { kind: 'password', subject: 'Ann@example.com' })
    await repeat(2, { kind: 'password', subject: ' ann@EXAMPLE.com ' })
    expect(await outcome({ kind: 'password', subject: 'ann@example.com' })).toBe('too_many_requests')
    expect(await outcome({ kind: 'password', subject: 'bob@example.com' })).toBe('wrong_credentials')
    expect(await outcome({ kind: 'totp', subject: 'ann@example.com' })).toBe('wrong_credentials')
  })

  it('lets the owner in on a known device while strangers have used everything up', async () => {
    const subject = 'owner@example.com'
    const device = open().vouch(subject, undefined)
    await repeat(6, { kind: 'password', subject })
    expect(await outcome({ kind: 'password', subject }, right)).toBe('too_many_requests')
    expect(await outcome({ kind: 'password', subject, device }, right)).toBe('in')
    expect(await outcome({ kind: 'password', subject }, right)).toBe('too_many_requests')
  })

  it('believes no device that it does not know, or that knows another account', async () => {
    const subject = 'victim@example.com'
    const foreign = open().vouch('attacker@example.com', undefined)
    const forged = open('another secret of some length').vouch(subject, undefined)
    await repeat(5, { kind: 'password', subject })
    for (const device of [foreign, forged, `${foreign}.${foreign.split('.')[1]}`, 'x', '', 'a.b.c'])
      expect(await outcome({ kind: 'password', subject, device })).toBe('too_many_requests')
  })

  it('bounds guesses from a known device too', async () => {
    const subject = 'thief@example.com'
    const device = open().vouch(subject, undefined)
    expect(await repeat(6, { kind: 'password', subject, device })).toEqual([
      ...Array.from({ length: 5 }, () => 'wrong_credentials'),
      'too_many_requests',
    ])
  })

  it('remembers up to five accounts of one browser', async () => {
    const guard = open()
    let device: string | undefined
    for (let i = 0; i < 6; i++) device = guard.vouch(`person-${i}@example.com`, device)
    expect(device?.split('.')).toHaveLength(6)
    await repeat(5, { kind: 'password', subject: 'person-5@example.com' })
    await repeat(5, { kind: 'password', subject: 'person-0@example.com' })
    expect(await outcome({ kind: 'password', subject: 'person-5@example.com', device }, right)).toBe('in')
    expect(await outcome({ kind: 'password', subject: 'person-0@example.com', device }, right)).toBe(
      'too_many_requests',
    )
  })

  it('starts the waits anew after the right secret, and gives back what failed on our side', async () => {
    const guess = { kind: 'password', subject: 'typo@example.com' } as const
    await repeat(4, guess)
    expect(await outcome(guess, right)).toBe('in')
    expect(await repeat(5, guess)).not.toContain('too_many_requests')
    const other = { kind: 'password', subject: 'outage@example.com' } as const
    for (let i = 0; i < 9; i++) expect(await outcome(other, () => Promise.reject(new Error('away')))).toBe('away')
    expect(await outcome(other, right)).toBe('in')
  })

  it('gives five tries at a code, whatever else is tried, and five more after the window', async () => {
    const guess = { kind: 'totp', subject: 'a user' } as const
    expect((await repeat(8, guess)).filter((code) => code === 'wrong_credentials')).toHaveLength(5)
    clock.turn(15 * MINUTE)
    expect(await outcome(guess)).toBe('wrong_credentials')
  })

  it('keeps neither addresses nor anything that they could be guessed from without the key', async () => {
    await outcome({ kind: 'password', subject: 'secret@example.com' })
    const { rows } = await test.admin.query('select t::text as line from seaworthy.tries t')
    expect(rows.length).toBeGreaterThan(0)
    expect(JSON.stringify(rows)).not.toContain('example')
    const other = createGuard({
      database: test.database,
      secret: new Secret('another secret of some length'),
      clock,
      log: createMemoryLogger(),
    })
    const before = rows.length
    await other.protect({ kind: 'password', subject: 'secret@example.com' }, right)
    const { rows: after } = await test.admin.query('select 1 from seaworthy.tries')
    expect(after).toHaveLength(before + 1)
  })
})
