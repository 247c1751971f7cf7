import { join } from 'node:path'
import { bareEnvironment } from './environment.ts'
import { type KeptProcess, keepProcess } from './kept-process.ts'
import { type ProgramRun, runProgram } from './run-program.ts'

/** An installation as far as `seaworthy keys` needs it. */
export interface Installation {
  /** The copy of the product. */
  readonly product: string
  readonly dataDirectory: string
  readonly environment?: Readonly<Record<string, string>>
}

const KEYS_MS = 120_000
const argsOf = ({ product }: Installation, args: readonly string[]): string[] => [
  join(product, 'packages', 'cli', 'dist', 'main.js'),
  'keys',
  ...args,
]
const environmentOf = ({ dataDirectory, environment }: Installation) => ({ ...environment, DATA_DIR: dataDirectory })

/** `seaworthy keys ...`, to its end. `typed` is what an operator would type. */
export function runKeys(of: Installation, args: readonly string[], typed: readonly string[] = []): Promise<ProgramRun> {
  return runProgram(process.execPath, argsOf(of, args), {
    input: typed.map((line) => `${line}\n`).join(''),
    environment: environmentOf(of),
    timeoutMs: KEYS_MS,
  })
}

/** `seaworthy keys ...`, to be killed. */
export const keepKeys = (of: Installation, args: readonly string[]): KeptProcess =>
  keepProcess(process.execPath, argsOf(of, args), { env: { ...bareEnvironment(), ...environmentOf(of) } })

/** Throws with what it printed when it failed. */
export async function keysOrThrow(
  of: Installation,
  args: readonly string[],
  typed?: readonly string[],
): Promise<string> {
  const { code, stdout, stderr } = await runKeys(of, args, typed)
  if (code !== 0) throw new Error(`keys ${args.join(' ')} ended with ${code}: ${stderr}`)
  return stdout
}
