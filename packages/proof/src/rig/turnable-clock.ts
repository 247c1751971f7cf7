import { execFileSync } from 'node:child_process'
import { renameSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import type { Rig } from './rig.ts'

/** The clock of a stack, to be turned while it runs. Its database and its timers stay on real time. */
export interface TurnableClock {
  /** For `rig.start`. */
  readonly environment: Readonly<Record<string, string>>
  /** In force at the next look at the clock: seconds from real time. */
  turn(seconds: number): void
}

/** By libfaketime, with a file that every process reads each time it looks at the clock. */
export function makeTurnableClock(rig: Rig): TurnableClock {
  const file = join(rig.scratch, 'clock')
  const turn = (seconds: number): void => {
    writeFileSync(`${file}.new`, `+${seconds}\n`)
    renameSync(`${file}.new`, file)
  }
  turn(0)
  return {
    environment: {
      LD_PRELOAD: libraryOf(rig.program('faketime')),
      FAKETIME_TIMESTAMP_FILE: file,
      FAKETIME_NO_CACHE: '1',
      FAKETIME_DONT_FAKE_MONOTONIC: '1',
    },
    turn,
  }
}

/** The program knows where its library is, and puts it before whatever it runs. */
function libraryOf(faketime: string): string {
  const environment = execFileSync(faketime, ['-f', '+0s', 'env'], { env: bareEnvironment(), encoding: 'utf8' })
  const library = /^LD_PRELOAD=(.+)$/m.exec(environment)?.[1]
  if (!library) throw new Error('faketime does not say where its library is')
  return library
}
