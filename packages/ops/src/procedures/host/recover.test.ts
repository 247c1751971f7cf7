import { describe, expect, it } from 'vitest'
import { releasesToKeep } from './prune.ts'
import { recoveryOf } from './recover.ts'
import { deploySteps, type Journal, type StepName } from './state.ts'

const at = (kind: Journal['kind'], step: StepName): Journal => ({
  kind,
  target: 'new',
  from: 'old',
  by: 'test',
  startedAt: '2026-01-01T00:00:00Z',
  steps: [{ name: step, startedAt: '2026-01-01T00:00:00Z' }],
})
const both = { target: true, from: true }

describe('what becomes of a command that was killed', () => {
  it('takes a deploy back until its release was watched to the end', () => {
    const resumed = deploySteps.filter((step) => recoveryOf(at('deploy', step), both).kind === 'resume')
    expect(resumed).toEqual(['drain', 'prune'])
  })

  it('goes on with a release that served when there is none to go back to', () => {
    expect(recoveryOf(at('deploy', 'bake'), { target: true, from: false }).kind).toBe('resume')
    expect(recoveryOf(at('deploy', 'bake'), { target: false, from: false }).kind).toBe('revert')
  })

  it('finishes a rollback that had begun to switch: somebody wanted to get away', () => {
    expect(recoveryOf(at('rollback', 'switch'), both).kind).toBe('resume')
    expect(recoveryOf(at('rollback', 'ready'), both).kind).toBe('revert')
  })
})

describe('releases that are removed', () => {
  it('never are the one that serves, the one before, or a warm one', () => {
    const releases = ['a', 'b', 'c', 'd', 'e'].map((id, day) => ({
      id,
      commit: id,
      version: '1.0.0',
      copiedAt: `2026-01-0${day + 1}`,
    }))
    const kept = releasesToKeep({ releases, serving: 'a', previous: 'b', warm: 'b' }, 2)
    expect([...kept].sort()).toEqual(['a', 'b', 'd', 'e'])
  })
})
