import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runProgram } from './run-program.ts'
import type { Stack } from './stack.ts'

/** What somebody at the machine sees of an installation, by its commands. */
export interface Operator {
  /** Verdicts by check; `settings` are given to the command only. */
  doctor(checks?: readonly string[], settings?: Readonly<Record<string, string>>): Promise<Examination>
  /** Follows a runbook and changes nothing. */
  runbook(name: string): Promise<Following>
  /** Names of the runbooks there are. */
  runbooks(): Promise<readonly string[]>
}

interface Examination {
  readonly code: number
  readonly checks: readonly { readonly check: string; readonly verdict: string; readonly found: string }[]
}

interface Following {
  readonly code: number
  readonly faults: readonly string[]
  readonly steps: readonly { readonly kind: string; readonly verdict: string; readonly found: string }[]
}

const COMMAND_MS = 120_000

export function operatorOf(rig: Rig, stack: Stack, environment: Readonly<Record<string, string>> = {}): Operator {
  const entry = join(rig.product, 'packages', 'cli', 'dist', 'main.js')
  const ask = async (args: readonly string[], settings: Readonly<Record<string, string>> = {}) => {
    const { code, stdout, stderr } = await runProgram(process.execPath, [entry, ...args, '--json'], {
      timeoutMs: COMMAND_MS,
      environment: {
        DATA_DIR: stack.dataDirectory,
        PORT: String(stack.port),
        ADMIN_PORT: new URL(stack.adminUrl).port,
        ...environment,
        ...settings,
      },
    })
    if (!/^[[{]/.test(stdout)) throw new Error(`seaworthy ${args.join(' ')} said nothing: ${stderr.slice(-400)}`)
    return { code, said: JSON.parse(stdout) as unknown }
  }
  return {
    doctor: async (checks = [], settings) => {
      const { code, said } = await ask(['doctor', ...checks], settings)
      return { code, checks: (said as Pick<Examination, 'checks'>).checks }
    },
    runbook: async (name) => {
      const { code, said } = await ask(['runbook', name])
      return { code, ...(said as Omit<Following, 'code'>) }
    },
    runbooks: async () => ((await ask(['runbook'])).said as { name: string }[]).map(({ name }) => name),
  }
}
