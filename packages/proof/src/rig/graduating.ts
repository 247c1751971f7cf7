import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { keepProcess } from './kept-process.ts'
import type { Rig } from './rig.ts'
import type { Stack } from './stack.ts'
import { until } from './wait.ts'

export interface GraduationRun {
  /** -1 when it was killed. */
  readonly code: number
  readonly output: string
  /** What it tells of how long nobody could write. In milliseconds; NaN when it did not get there. */
  readonly pauseMs: number
}

const PATIENCE_MS = 180_000

/** `seaworthy graduate` beside a running stack. */
export async function runGraduation(
  rig: Rig,
  { dataDirectory }: Stack,
  args: readonly string[],
  /** Killed at once, without any chance to tidy up, when it has said this, or so many milliseconds later. */
  kill?: { readonly at: string; readonly afterMs?: number },
): Promise<GraduationRun> {
  const entry = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const command = keepProcess(process.execPath, [entry, 'graduate', '--json', ...args], {
    env: { ...bareEnvironment(), DATA_DIR: dataDirectory },
  })
  if (kill) {
    await until(
      `it says "${kill.at}"`,
      () => command.output().includes(kill.at) || command.exit() !== undefined,
      PATIENCE_MS,
    )
    if (kill.afterMs) await new Promise((resolve) => setTimeout(resolve, kill.afterMs))
    await command.signal('SIGKILL')
  }
  const { code } = await command.exited
  const output = command.output()
  return { code, output, pauseMs: Number(/"pauseMs": (\d+)/.exec(output)?.[1] ?? Number.NaN) }
}
