import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { finishSwap, type Swap, swapDatabase } from './swap.ts'

const swap: Swap = {
  restored: 'recovery/restoring/database',
  kept: 'database.before',
  archived: 'recovery/restoring/spool',
}

describe('a restored database', () => {
  let directory: string
  const at = (path: string): string => join(directory, path)
  const write = (path: string, text: string): void => {
    mkdirSync(join(at(path), '..'), { recursive: true })
    writeFileSync(at(path), text)
  }
  const whose = (path: string): string => readFileSync(at(`${path}/PG_VERSION`), 'utf8')
  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'swap-'))
    write('database/PG_VERSION', 'present')
    write('recovery/restoring/database/PG_VERSION', 'restored')
    write('recovery/restoring/spool/00000002.history', 'history')
  })
  afterEach(() => rmSync(directory, { recursive: true }))

  const expectSwapped = (): void => {
    expect([whose('database'), whose('database.before')]).toEqual(['restored', 'present'])
    expect(readdirSync(at('recovery/spool'))).toEqual(['00000002.history'])
    expect(existsSync(at('database.swap.json'))).toBe(false)
  }

  it('takes the place of the present one, which is kept', () => {
    swapDatabase(directory, swap)
    expectSwapped()
    finishSwap(directory)
    expectSwapped()
  })

  it.each([
    ['it was written down', () => undefined],
    ['the present one was moved', () => renameSync(at('database'), at('database.before'))],
    [
      'both were moved',
      () => {
        renameSync(at('database'), at('database.before'))
        renameSync(at('recovery/restoring/database'), at('database'))
      },
    ],
  ])('is put there by the next start when the restore was killed after %s', (_, step) => {
    writeFileSync(at('database.swap.json'), JSON.stringify(swap))
    step()
    finishSwap(directory)
    expectSwapped()
  })
})
