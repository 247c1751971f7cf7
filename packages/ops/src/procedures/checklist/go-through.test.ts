import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DAY } from '@seaworthy/core'
import { lookAtConfig } from '@seaworthy/platform/config'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Installation } from '../doctor/index.ts'
import { fakeInstallation } from '../doctor/testing.ts'
import { checklists, goThrough, sign } from './go-through.ts'

let directory: string
let here: Installation
const now = Date.parse('2026-06-01T12:00:00Z')
const settings = { execute: undefined, now: () => now }
const later = (days: number) => ({ execute: undefined, now: () => now + days * DAY })
const stateOf = async (item: string, how = settings, installation = here) =>
  (await goThrough(installation, 'after', how)).items.find((one) => one.item === item)

beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'checklist-'))
  const { config } = lookAtConfig(directory, {
    DATA_DIR: directory,
    PORT: '1',
    ADMIN_PORT: '1',
  })
  here = fakeInstallation({ directory, config })
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

describe('a checklist', () => {
  it('has every item judged by a command, or named as a person’s with an end', () => {
    for (const item of Object.values(checklists).flat())
      expect(item.kind === 'human' ? item.validDays > 0 : ['check', 'judge', 'run'].includes(item.kind)).toBe(true)
  })

  it('is red where nobody has signed, and where nothing was run', async () => {
    expect(await stateOf('debrief')).toMatchObject({ state: 'red', found: 'nobody has signed' })
    expect(await stateOf('benchmarks')).toMatchObject({ state: 'red' })
    expect((await goThrough(here, 'after', settings)).isDone).toBe(false)
  })

  it('takes a signature with a name, until it expires', async () => {
    await sign(here, 'after', 'debrief', 'Anna Example', settings)
    expect(await stateOf('debrief')).toMatchObject({ state: 'ok' })
    expect(await stateOf('debrief', later(91))).toMatchObject({
      state: 'red',
      found: expect.stringMatching(/Anna Example expired/),
    })
  })

  it('refuses a signature for what commands judge, and one without a name', async () => {
    await expect(sign(here, 'after', 'database', 'Anna Example', settings)).rejects.toThrow(/Nobody signs database/)
    await expect(sign(here, 'after', 'debrief', ' ', settings)).rejects.toThrow(/Who signs/)
  })

  it('does not carry a signature over to another release', async () => {
    await sign(here, 'after', 'debrief', 'Anna Example', settings)
    const next = { ...here, build: { version: '1.1.0', commit: 'b'.repeat(40) } }
    expect(await stateOf('debrief', settings, next)).toMatchObject({
      state: 'red',
      found: expect.stringMatching(/that was release aaaa/),
    })
  })

  it('notices a signature that was changed afterwards', async () => {
    await sign(here, 'after', 'debrief', 'Anna Example', settings)
    const path = join(directory, 'checklist.jsonl')
    writeFileSync(path, readFileSync(path, 'utf8').replace('Anna', 'Hans'))
    expect(await stateOf('debrief')).toMatchObject({ state: 'red', found: expect.stringMatching(/changed afterwards/) })
  })

  it('ends an approval when a verdict changes that it was given for', async () => {
    const approval = async (installation: Installation) =>
      (await goThrough(installation, 'before', settings)).items.find(({ item }) => item === 'approval')
    await sign(here, 'before', 'approval', 'Anna Example', settings)
    expect(await approval(here)).toMatchObject({ state: 'ok' })
    const worse = { ...here, faults: [{ setting: 'PORT', problem: 'is wrong', mend: '' }] }
    expect(await approval(worse)).toMatchObject({ state: 'red', found: expect.stringMatching(/saw other verdicts/) })
  })

  it('remembers what a long command said of a release', async () => {
    const execute = async () => ({ code: 0, output: 'fine' })
    await goThrough(here, 'after', { execute, now: () => now })
    expect(await stateOf('benchmarks')).toMatchObject({ state: 'ok' })
    expect(await stateOf('benchmarks', later(31))).toMatchObject({ state: 'red' })
    await goThrough(here, 'after', { execute: async () => ({ code: 1, output: 'slow' }), now: () => now })
    expect(await stateOf('benchmarks')).toMatchObject({ state: 'red', found: expect.stringMatching(/failed with 1/) })
  })
})
