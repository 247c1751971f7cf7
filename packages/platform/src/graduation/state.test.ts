import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { forgetGraduation, readWritePause, writeGraduation } from './state.ts'

const directory = mkdtempSync(join(tmpdir(), 'graduation-'))
afterAll(() => rmSync(directory, { recursive: true }))

it('holds writes only as long as somebody lives who does, and not longer than was said', () => {
  const now = 1_000_000
  expect(readWritePause(directory, now)).toBe('none')
  writeGraduation(directory, { pid: process.pid, to: 'there' })
  expect(readWritePause(directory, now)).toBe('none')
  // The number of a process that is none, and of one that does something else.
  for (const pid of [2 ** 22 + 1, process.pid]) {
    writeGraduation(directory, { pid, to: 'there', pausedUntil: now + 1_000 })
    expect(readWritePause(directory, now)).toBe('left')
  }
  forgetGraduation(directory)
  expect(readWritePause(directory, now)).toBe('none')
})
