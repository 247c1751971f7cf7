import { describe, expect, it } from 'vitest'
import type { CommandRun, Installation } from '../doctor/index.ts'
import { fakeInstallation } from '../doctor/testing.ts'
import { followRunbook, type StepReport } from './follow.ts'
import { confirm, human, look, type Runbook, type Step } from './runbook.ts'

const act: Step = { kind: 'act', text: 'put it right', command: ['mend'] }
const whole = { faults: [] }
const broken = { faults: [{ setting: 'PORT', problem: 'is wrong', mend: 'export PORT=3000' }] }

function follow(steps: readonly Step[], here: Partial<Installation>, answers = { ask: true, wait: false }) {
  const runbook: Runbook = { title: 'A fault', symptom: 'something is wrong', steps }
  const ran: string[] = []
  const told: StepReport[] = []
  const run = async (args: readonly string[]): Promise<CommandRun> => {
    ran.push(args.join(' '))
    return here.run ? here.run(args) : { code: 0, output: 'done' }
  }
  return followRunbook(fakeInstallation({ ...here, run }), 'service-down', runbook, {
    ask: async () => answers.ask,
    wait: async () => answers.wait,
    tell: (report) => void told.push(report),
  }).then((followed) => ({ ...followed, ran, told }))
}

describe('following a runbook', () => {
  it('changes nothing where its looks find nothing', async () => {
    const { outcome, ran, steps } = await follow(
      [look('node', 'old?'), act, human('do it', 'done', 'node'), confirm('node', 'new')],
      whole,
    )
    expect({ outcome, ran }).toEqual({ outcome: 'nothing', ran: [] })
    expect(steps.map(({ verdict }) => verdict)).toEqual(['ok', 'left', 'left', 'ok'])
  })

  it('names the fault, and goes on looking', async () => {
    const { faults, steps, next } = await follow([look('settings', 'wrong?'), look('node', 'old?')], broken)
    expect(faults).toEqual(['settings'])
    expect(steps).toHaveLength(2)
    expect(next).toBe('export PORT=3000')
  })

  it('changes something only when somebody agrees', async () => {
    const steps = [look('settings', 'wrong?'), act]
    expect((await follow(steps, broken, { ask: false, wait: false })).ran).toEqual([])
    expect((await follow(steps, broken)).ran).toEqual(['mend'])
  })

  it('stops at the first step that fails, and says what next', async () => {
    const run = async (): Promise<CommandRun> => ({ code: 3, output: 'no space' })
    const { steps, outcome, next, ran } = await follow([look('settings', 'wrong?'), act, act, confirm('node', 'new')], {
      ...broken,
      run,
    })
    expect(steps.map(({ kind, verdict }) => `${kind} ${verdict}`)).toEqual(['look bad', 'act bad'])
    expect({ outcome, ran }).toEqual({ outcome: 'open', ran: ['mend'] })
    expect(next).toMatch(/by hand: seaworthy mend/)
  })

  it('is not over while what must be well is bad', async () => {
    const { outcome } = await follow([look('settings', 'wrong?'), act, confirm('settings', 'right')], broken)
    expect(outcome).toBe('open')
  })

  it('leaves out what needs a person whom nobody named', async () => {
    const { steps, ran } = await follow(
      [{ kind: 'act', text: 'end them', command: ['person', 'end-sign-ins', '{about}'] }],
      broken,
    )
    expect(steps).toMatchObject([{ verdict: 'left', found: 'needs --about' }])
    expect(ran).toEqual([])
  })

  it('is over when what was done has mended it, and not while somebody has something left to do', async () => {
    const node = confirm('node', 'new')
    const broke = look('settings', 'wrong?')
    expect((await follow([broke, act, node], broken)).outcome).toBe('mended')
    const left = await follow([broke, act, human('tell people', 'they know'), node], broken)
    expect(left).toMatchObject({ outcome: 'open', next: 'tell people' })
    const told = await follow([broke, act, human('tell people', 'they know'), node], broken, { ask: true, wait: true })
    expect(told.outcome).toBe('mended')
  })
})
