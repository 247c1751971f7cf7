import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { type ProgramRun, runProgram } from './run-program.ts'
import type { Stack } from './stack.ts'

const PATIENCE_MS = 60_000

/** A command that an operator types beside a running service: `seaworthy audit verify`. */
export const runCommand = (rig: Rig, { dataDirectory }: Stack, ...args: readonly string[]): Promise<ProgramRun> =>
  runProgram(process.execPath, [join(rig.product, 'packages', 'cli', 'dist', 'main.js'), ...args], {
    environment: { DATA_DIR: dataDirectory },
    timeoutMs: PATIENCE_MS,
  })
