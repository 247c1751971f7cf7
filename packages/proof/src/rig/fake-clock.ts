import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

/** The clock of one stack, which can be set forward while it runs. Its database stays on the real time. */
export interface FakeClock {
  /** For the stack that is to run by it. */
  readonly environment: Readonly<Record<string, string>>
  setForward(seconds: number): void
}

/** The claim must name `faketime` among its needs. Timers run as they do. */
export async function openFakeClock(rig: Rig): Promise<FakeClock> {
  const file = join(rig.scratch, 'clock')
  const setForward = (seconds: number): void => writeFileSync(file, `+${seconds}\n`)
  setForward(0)
  const { stdout } = await runProgram(rig.program('faketime'), ['-f', '+0s', '/usr/bin/env'])
  const library = /^LD_PRELOAD=(.+)$/m.exec(stdout)?.[1]
  if (!library) throw new Error('faketime does not say which library it preloads')
  return {
    environment: {
      LD_PRELOAD: library,
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_CACHE_DURATION: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    setForward,
  }
}
