import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { beforeEach, describe, expect, it, vi } from 'vitest'
import { atMost, type Claim, defineClaim, exactly, type Observation } from '../claim.ts'
import type { Variant } from '../rig/rig.ts'
import { patch } from '../sabotage.ts'
import { judge } from '../verdict.ts'
import { chooseClaims } from './choose.ts'
import { examine, examineSabotage } from './examine.ts'

const root = join(import.meta.dirname, '..', '..', '..', '..')
const settings = { root, seed: 1, commit: 'abc', signal: new AbortController().signal }
const harmless = patch(
  'nothing of note',
  'packages/core/src/units.ts',
  'export const KiB = 1024',
  'export const KiB = 1000',
)

const claimOf = (observe: () => Observation<'leaks'> | Promise<Observation<'leaks'>>): Claim =>
  defineClaim({
    id: 'TEN-99',
    says: 'Nothing leaks',
    answers: [],
    witness: 'this test',
    tier: 'fast',
    seconds: 1,
    limits: { leaks: exactly(0, 'rows') },
    experiment: async () => observe(),
    sabotages: [harmless],
  })
const saw = (leaks: number, happened = true): Observation<'leaks'> => ({
  measured: { leaks },
  met: { 'the attack arrived': happened },
})

describe('a verdict', () => {
  it('is proven when every number keeps its limit and the fault happened', () => {
    expect(
      judge(
        claimOf(() => saw(0)),
        saw(0),
      ).verdict,
    ).toBe('proven')
  })

  it('is red when the fault did not happen, however good the numbers', () => {
    const judgement = judge(
      claimOf(() => saw(0)),
      saw(0, false),
    )
    expect(judgement).toMatchObject({ verdict: 'refuted', unmet: ['the attack arrived'] })
  })

  it('is red when the experiment checks nothing about itself, measures nothing, or measures no number', () => {
    const claim = claimOf(() => saw(0))
    expect(judge(claim, { measured: { leaks: 0 }, met: {} }).verdict).toBe('refuted')
    expect(judge(claim, { measured: {}, met: { happened: true } }).verdict).toBe('refuted')
    expect(judge({ limits: { ms: atMost(5, 'ms') } }, { measured: { ms: Number.NaN }, met: { a: true } }).verdict).toBe(
      'refuted',
    )
  })
})

describe('an experiment', () => {
  let variant: Variant
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'examine-'))
    variant = { openRig: () => ({ rig: {} as never, close: async () => undefined }), close: async () => undefined }
    return () => rmSync(directory, { recursive: true })
  })

  it('that breaks has tested nothing', async () => {
    const broken = claimOf(() => Promise.reject(new Error('the socket was closed')))
    const result = await examine(broken, variant, settings)
    expect(result).toMatchObject({ verdict: 'could not test', why: 'the experiment broke: the socket was closed' })
  })

  it('that needs a program which is not here says so, with the command that installs it', async () => {
    vi.stubEnv('PATH', '/nowhere')
    const result = await examine({ ...claimOf(() => saw(0)), needs: ['zzuf'] }, variant, settings)
    vi.unstubAllEnvs()
    expect(result.verdict).toBe('could not test')
    expect(result.why).toBe('needs zzuf, install with: sh scripts/install-proof-tools.sh')
  })

  it('that was stopped has tested nothing', async () => {
    const stopped = { ...settings, signal: AbortSignal.abort() }
    const result = await examine(
      claimOf(() => new Promise(() => undefined)),
      variant,
      stopped,
    )
    expect(result.verdict).toBe('could not test')
  })
})

describe('a sabotage', () => {
  const outcome = (observe: () => Observation<'leaks'> | Promise<Observation<'leaks'>>, sabotage = harmless) =>
    examineSabotage(claimOf(observe), sabotage, settings)

  it("is caught by the claim's own number", async () => {
    expect(await outcome(() => saw(3))).toEqual({
      name: harmless.name,
      caught: true,
      how: 'leaks: 3, must be = 0 rows',
    })
  })

  it.each([
    ['the proof stays green', () => saw(0)],
    ['the fault did not happen', () => saw(3, false)],
    ['the experiment breaks', () => Promise.reject(new Error('refused'))],
    ['there is no number', () => saw(Number.NaN)],
  ])('survives when %s', async (_, observe) => {
    expect((await outcome(observe)).caught).toBe(false)
  })

  it('survives, and says why, when its text is not in the source any more', async () => {
    const gone = patch('an old text', 'packages/core/src/units.ts', 'a text that nobody wrote', '')
    expect(await outcome(() => saw(3), gone)).toMatchObject({ caught: false, how: expect.stringContaining('0 times') })
  })

  it('survives when it changes nothing that runs', async () => {
    const comment = patch(
      'a comment',
      'packages/core/src/units.ts',
      '/** `31457280` as `30 MB`, for people. */',
      '/** Other words. */',
    )
    expect((await outcome(() => saw(3), { ...comment, replace: comment.find })).how).toContain('changes nothing')
  })
})

describe('the choice of claims', () => {
  const claims = ['NET-01', 'NET-02', 'IDN-01'].map((id, i) => ({
    ...claimOf(() => saw(0)),
    id,
    tier: i === 1 ? ('full' as const) : ('fast' as const),
  }))
  const idsOf = (names: readonly string[], tier: 'fast' | 'full'): string[] =>
    chooseClaims(claims, names, tier).map((claim) => claim.id)

  it('takes what is no slower than the tier, and whatever was named', () => {
    expect(idsOf([], 'fast')).toEqual(['NET-01', 'IDN-01'])
    expect(idsOf([], 'full')).toEqual(['NET-01', 'NET-02', 'IDN-01'])
    expect(idsOf(['net'], 'fast')).toEqual(['NET-01', 'NET-02'])
    expect(() => idsOf(['XYZ-1'], 'fast')).toThrow(/no claim or area/)
  })
})
