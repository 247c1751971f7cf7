import { readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** What a graduation that is under way says of itself, for the processes that run beside it. */
interface GraduationState {
  readonly pid: number
  /** Where to, without user and password. */
  readonly to: string
  /** While it is being changed over nobody writes, at most until then. In milliseconds since 1970. */
  readonly pausedUntil?: number
}

const pathOf = (dataDirectory: string): string => join(dataDirectory, 'graduation.json')

export function readGraduation(dataDirectory: string): GraduationState | undefined {
  try {
    return JSON.parse(readFileSync(pathOf(dataDirectory), 'utf8')) as GraduationState
  } catch {
    return undefined
  }
}

export function writeGraduation(dataDirectory: string, state: GraduationState): void {
  const draft = `${pathOf(dataDirectory)}.draft`
  writeFileSync(draft, JSON.stringify(state), { mode: 0o600, flush: true })
  renameSync(draft, pathOf(dataDirectory))
}

export const forgetGraduation = (dataDirectory: string): void => rmSync(pathOf(dataDirectory), { force: true })

/** False for one that was killed. */
export function isUnderWay({ pid }: GraduationState): boolean {
  try {
    process.kill(pid, 0)
    if (process.platform !== 'linux') return true
    return (
      readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('graduate') &&
      !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
    )
  } catch {
    return false
  }
}

/** Whether writes are held for a change-over: `left` by one that was killed or takes too long, so that they may go on. */
export function readWritePause(dataDirectory: string, now: number): 'none' | 'held' | 'left' {
  const state = readGraduation(dataDirectory)
  if (state?.pausedUntil === undefined) return 'none'
  return isUnderWay(state) && now < state.pausedUntil ? 'held' : 'left'
}
