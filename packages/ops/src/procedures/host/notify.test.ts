import { describe, expect, it } from 'vitest'
import { notifyAll, notifyByMail } from './notify.ts'
import type { Finished } from './state.ts'

const finished: Finished = {
  kind: 'deploy',
  target: 'r2',
  from: 'r1',
  by: 'anna@console',
  startedAt: '2026-06-01T12:00:00.000Z',
  endedAt: '2026-06-01T12:01:00.000Z',
  steps: [{ name: 'switch', startedAt: '2026-06-01T12:00:30.000Z', ms: 1_500 }],
  outcome: 'failed',
  why: 'it does not answer',
}

describe('a letter about a deploy', () => {
  it('says what became of it, why, and what to do', async () => {
    const letters: { subject: string; paragraphs: readonly string[] }[] = []
    await notifyByMail(
      async (letter) => void letters.push(letter),
      () => undefined,
    )(finished)
    expect(letters).toMatchObject([{ subject: 'deploy of r2 failed' }])
    expect(letters[0]?.paragraphs.join('\n')).toMatch(
      /it does not answer \(anna@console\)[\s\S]*seaworthy runbook bad-deploy[\s\S]*switch 1\.5 s/,
    )
  })

  it('never fails the deploy, and says that nobody was told', async () => {
    const said: string[] = []
    const refuse = () => Promise.reject(new Error('550 no such person'))
    await notifyAll([notifyByMail(refuse, (text) => void said.push(text))])(finished)
    expect(said).toEqual(['nobody was told by mail: 550 no such person'])
  })

  it('waits for no mail server that hangs', async () => {
    const said: string[] = []
    await notifyByMail(
      () => new Promise(() => undefined),
      (text) => void said.push(text),
      20,
    )(finished)
    expect(said).toEqual(['nobody was told by mail: the mail server took longer than 0.02 s'])
  })
})
