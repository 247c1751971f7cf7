import { MINUTE } from '@seaworthy/core'
import { turnableClock } from '@seaworthy/testkit'
import { beforeEach, describe, expect, it } from 'vitest'
import { createMemoryLogger, createMetrics } from '../telemetry/index.ts'
import { createSuspicion, type Sign, type Suspect } from './suspicion.ts'

const network = (key: string): Suspect => ({ kind: 'network', key, shown: `${key} masked` })

describe('suspicion', () => {
  let clock: ReturnType<typeof turnableClock>
  let log: ReturnType<typeof createMemoryLogger>
  beforeEach(() => {
    clock = turnableClock()
    log = createMemoryLogger()
  })
  const open = (mode: 'watch' | 'limit' = 'limit') => createSuspicion({ mode, clock, log, metrics: createMetrics() })

  /** How often this is done before one has to wait; 0: never. */
  function until(sign: Sign, about: (i: number) => string | undefined = () => undefined): number {
    const suspicion = open()
    for (let i = 1; i <= 100; i++) {
      suspicion.note(network('a'), sign, about(i))
      if (suspicion.waitSeconds('network', 'a') > 0) return i
    }
    return 0
  }

  it('limits a scanner within ten requests, whatever it looks for', () => {
    expect(until('honey')).toBe(2)
    expect(until('unknown_path')).toBe(8)
    expect(until('invalid')).toBe(8)
    expect(until('missing_thing', (i) => `/photos/${i}`)).toBe(8)
    expect(until('forged_sign_in', (i) => `token ${i}`)).toBe(4)
  })

  it('takes the same missing thing, or the same old token, for what it is: one mistake', () => {
    expect(until('missing_thing', () => '/photos/1')).toBe(0)
    expect(until('missing_thing', (i) => `/photos/${i % 5}`)).toBe(0)
    expect(until('ended_sign_in', () => 'tail')).toBe(0)
  })

  it('forgives mistakes of people whose other requests are good, and forgets', () => {
    const suspicion = open()
    for (let i = 0; i < 1_000; i++) {
      if (i % 10 === 0) suspicion.note(network('good'), 'missing_thing', `/photos/${i}`)
      else suspicion.clear('network', 'good')
    }
    expect(suspicion.waitSeconds('network', 'good')).toBe(0)
    for (let i = 0; i < 50; i++) {
      suspicion.note(network('slow'), 'invalid')
      clock.turn(MINUTE)
    }
    expect(suspicion.waitSeconds('network', 'slow')).toBe(0)
  })

  it('says what the score is made of, once', () => {
    const suspicion = open()
    suspicion.note(network('a'), 'unknown_path')
    suspicion.note(network('a'), 'honey')
    suspicion.note(network('a'), 'honey')
    suspicion.note(network('a'), 'honey')
    expect(log.lines).toHaveLength(1)
    expect(JSON.parse(log.lines[0] ?? '')).toMatchObject({
      message: 'suspicious behaviour',
      security: 'suspicion',
      network: 'a masked',
      score: 18,
      why: { unknown_path: 1, honey: 2 },
      action: 'limited',
    })
  })

  it('calls an account by its pseudonym', () => {
    const id = '0198a5f2-7c3e-7a41-9d0b-5f6e7a8b9c0d'
    const suspicion = open()
    for (let i = 0; i < 2; i++) suspicion.note({ kind: 'account', key: id, shown: id }, 'honey')
    expect(JSON.parse(log.lines[0] ?? '')).toMatchObject({ account: expect.stringMatching(/^p-[0-9a-f]{12}$/) })
  })

  it('limits nobody else, and them for ten minutes', () => {
    const suspicion = open()
    for (let i = 0; i < 2; i++) suspicion.note(network('a'), 'honey')
    expect(suspicion.waitSeconds('network', 'a')).toBe(600)
    expect(suspicion.waitSeconds('network', 'b')).toBe(0)
    expect(suspicion.waitSeconds('account', 'a')).toBe(0)
    clock.turn(10 * MINUTE)
    expect(suspicion.waitSeconds('network', 'a')).toBe(0)
  })

  it('only reports while it watches', () => {
    const suspicion = open('watch')
    for (let i = 0; i < 5; i++) suspicion.note(network('a'), 'honey')
    expect(suspicion.waitSeconds('network', 'a')).toBe(0)
    expect(log.lines).toHaveLength(1)
    expect(log.lines[0]).toContain('"action":"watched"')
  })

  it('remembers a bounded number of suspects', () => {
    const suspicion = open()
    for (let i = 0; i < 2; i++) suspicion.note(network('first'), 'honey')
    for (let i = 0; i < 20_000; i++) suspicion.note(network(`n${i}`), 'invalid')
    expect(suspicion.waitSeconds('network', 'first')).toBe(0)
  })
})
