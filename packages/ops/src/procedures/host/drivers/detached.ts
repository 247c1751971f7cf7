import { spawn } from 'node:child_process'
import { closeSync, openSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { environmentOf } from '../environment.ts'
import { entryPath, type Layout, releasePath } from '../layout.ts'
import { ownAddress } from '../own-address.ts'
import { isRunning, markOf, type ProcessMark } from '../process-mark.ts'
import type { Runner } from '../runner.ts'
import { untilTrue } from '../wait.ts'
import { readIfThere, writeAtomically } from '../write-file.ts'

const LOG_BYTES = 4_000

/** Each release as a process of its own session, with a file that holds its number and one that holds its log. */
export function openDetachedRunner(layout: Layout): Runner {
  const pidFile = (release: string): string => join(layout.run, `${release}.pid`)
  const logFile = (release: string): string => join(layout.run, `${release}.log`)
  const find = (release: string): ProcessMark | undefined => {
    const text = readIfThere(pidFile(release))
    const mark = text === undefined ? undefined : (JSON.parse(text) as ProcessMark)
    return mark && isRunning(mark) ? mark : findByProgram(entryPath(layout, release))
  }
  return {
    name: 'detached',
    prepare: (release) => ownAddress(layout, release),
    start: async (release) => {
      if (find(release)) return
      const log = openSync(logFile(release), 'a', 0o600)
      const child = spawn(process.execPath, [entryPath(layout, release), 'start'], {
        cwd: releasePath(layout, release),
        env: environmentOf(layout, { release }),
        detached: true,
        stdio: ['ignore', log, log],
      })
      closeSync(log)
      const mark = await new Promise<ProcessMark | undefined>((resolve, reject) => {
        child.once('error', reject)
        child.once('spawn', () => resolve(markOf(child.pid ?? 0)))
      })
      child.unref()
      if (mark) writeAtomically(pidFile(release), `${JSON.stringify(mark)}\n`)
    },
    stop: async (release, deadlineMs) => {
      const mark = find(release)
      if (mark) {
        process.kill(mark.pid, 'SIGTERM')
        if (!(await untilTrue(() => !isRunning(mark), deadlineMs))) {
          // Its processes end by themselves when it is gone.
          process.kill(mark.pid, 'SIGKILL')
          await untilTrue(() => !isRunning(mark), deadlineMs)
        }
      }
      rmSync(pidFile(release), { force: true })
    },
    isAlive: async (release) => find(release) !== undefined,
    // Nobody does.
    restarts: async () => 0,
    logs: async (release) => (readIfThere(logFile(release)) ?? '').slice(-LOG_BYTES),
    forget: async () => undefined,
  }
}

/** A command that was killed right after it had started a release left no file: the release is found by what it runs. */
function findByProgram(entry: string): ProcessMark | undefined {
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    try {
      const [, program, command] = readFileSync(`/proc/${name}/cmdline`, 'utf8').split('\0')
      if (program === entry && command === 'start') return markOf(Number(name))
    } catch {
      // It ended while we looked.
    }
  }
  return undefined
}
