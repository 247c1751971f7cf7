import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { limitMemory } from './memory.ts'

describe('a bound on memory', () => {
  let root = ''
  const at = (path: string): string => join(root, path)
  const self = (text: string): string => {
    writeFileSync(at('self'), text)
    return at('self')
  }
  beforeEach(() => {
    root = mkdtempSync(join(tmpdir(), 'groups-'))
  })
  afterEach(() => rmSync(root, { recursive: true }))

  it.each([
    ['in a tree of its own', '5:memory:/ours\n0::/\n', 'memory/ours', 'memory.limit_in_bytes'],
    ['in the one tree', '0::/ours\n', 'ours', 'memory.max'],
  ])('is a control group %s', (_, text, parent, file) => {
    mkdirSync(at(parent), { recursive: true })
    const limit = limitMemory(1_000, root, self(text))
    expect(limit?.procs).toBe(at(`${parent}/seaworthy-drill-${process.pid}/cgroup.procs`))
    expect(readFileSync(at(`${parent}/seaworthy-drill-${process.pid}/${file}`), 'utf8')).toBe('1000')
  })

  it('removes the groups of trials that were killed, and no others', () => {
    for (const name of ['seaworthy-drill-1', 'else']) mkdirSync(at(`memory/ours/${name}`), { recursive: true })
    limitMemory(1_000, root, self('5:memory:/ours\n'))
    expect([existsSync(at('memory/ours/seaworthy-drill-1')), existsSync(at('memory/ours/else'))]).toEqual([false, true])
  })

  it('is not there where the machine has none for us', () => {
    expect(limitMemory(1_000, root, self('0::/not/here\n'))).toBeUndefined()
    expect(limitMemory(1_000, root, at('missing'))).toBeUndefined()
  })
})
