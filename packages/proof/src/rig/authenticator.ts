import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'

export const STEP_SECONDS = 30

/** The six digits that oathtool shows for a secret in base 32 in one half minute since 1970. The claim needs `oathtool`. */
export async function codeOf(rig: Rig, secret: string, step: number): Promise<string> {
  const now = new Date(step * STEP_SECONDS * 1_000).toISOString().replace('T', ' ').replace('.000Z', ' UTC')
  const run = await runProgram(rig.program('oathtool'), ['--totp', '--base32', `--now=${now}`, '-'], { input: secret })
  if (run.code !== 0) throw new Error(`oathtool: ${run.stderr}`)
  return run.stdout.trim()
}
