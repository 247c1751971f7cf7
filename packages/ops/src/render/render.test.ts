import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { system } from '../../../../seaworthy.config.ts'
import { describe as describeSystem } from '../description/index.ts'
import type { Target } from '../targets/index.ts'
import { keepEdits, renderFiles, writeFiles } from './index.ts'

const description = describeSystem(system, '1.0.0')
const lines = (...text: string[]): string => `${text.join('\n')}\n`
const target = (text: string): Target => ({
  name: 'one',
  about: 'one file',
  render: () => [{ path: 'deploy/one.conf', text }],
})

describe('rendered files', () => {
  let directory: string
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'render-'))
  })
  afterEach(() => rmSync(directory, { recursive: true }))
  const drifts = (text: string) => renderFiles([target(text)], description, directory).map((file) => file.drift)
  const write = (text: string) => writeFiles(renderFiles([target(text)], description, directory), directory)
  const read = () => readFileSync(join(directory, 'deploy/one.conf'), 'utf8')

  it('are told to be missing, then to be as they should, then to be changed', () => {
    expect(drifts('a\n')).toEqual(['missing'])
    write('a\n')
    expect(drifts('a\n')).toEqual([undefined])
    writeFileSync(join(directory, 'deploy/one.conf'), 'b\n')
    expect(drifts('a\n')).toEqual(['changed'])
  })

  it('keep what was changed by hand when the definition changes elsewhere', () => {
    const before = lines('one', 'two', 'three', 'four', 'five', 'six', 'seven', 'eight')
    write(before)
    writeFileSync(join(directory, 'deploy/one.conf'), before.replace('two', 'two of my own'))
    expect(keepEdits([target(before)], description, directory)).toEqual(['deploy/patches/deploy/one.conf.patch'])
    expect(drifts(before)).toEqual([undefined])
    const after = before.replace('seven', 'seven and a half')
    write(after)
    expect(read()).toBe(after.replace('two', 'two of my own'))
  })

  it('say so when kept changes no longer fit, and write nothing', () => {
    const before = lines('one', 'two', 'three')
    write(before)
    writeFileSync(join(directory, 'deploy/one.conf'), before.replace('two', 'mine'))
    keepEdits([target(before)], description, directory)
    expect(() => write(lines('all', 'is', 'new'))).toThrow(/deploy\/patches\/deploy\/one\.conf\.patch no longer fit/)
    expect(read()).toBe(before.replace('two', 'mine'))
  })

  it('forget kept changes that were taken back', () => {
    write('a\n')
    writeFileSync(join(directory, 'deploy/one.conf'), 'b\n')
    keepEdits([target('a\n')], description, directory)
    writeFileSync(join(directory, 'deploy/one.conf'), 'a\n')
    expect(keepEdits([target('a\n')], description, directory)).toEqual(['deploy/patches/deploy/one.conf.patch'])
    expect(drifts('a\n')).toEqual([undefined])
  })
})
