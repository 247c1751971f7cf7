import { type ExecFileException, execFile } from 'node:child_process'
import { MINUTE } from '@seaworthy/core'

/** The program that runs containers here. Both are told almost the same words. */
export interface Engine {
  /** As it is called: a name, or the path of a program. */
  readonly program: string
  readonly kind: 'podman' | 'docker'
  /** Its standard output. Throws with what it said when it fails. */
  run(args: readonly string[], options?: RunOptions): Promise<string>
  attempt(args: readonly string[], options?: RunOptions): Promise<Attempt>
}

interface RunOptions {
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

interface Attempt {
  readonly isDone: boolean
  readonly stdout: string
  readonly stderr: string
}

const ANSWER_MS = MINUTE
const OUTPUT_BYTES_MAX = 16 * 1024 ** 2
const OUTPUT_SHOWN = 2_000

/** The one that is named, else podman, else docker. Throws when there is none. */
export async function findEngine(named: string | undefined): Promise<Engine> {
  for (const program of named ? [named] : ['podman', 'docker']) {
    const { isDone, stdout } = await attempt(program, ['--version'])
    const kind = /podman/i.test(stdout) ? 'podman' : /docker/i.test(stdout) ? 'docker' : undefined
    if (isDone && kind) return openEngine(program, kind)
  }
  throw new Error(
    named
      ? `CONTAINER_ENGINE is ${named}, which is neither podman nor docker.\n    HINT: ${named} --version`
      : 'Neither podman nor docker is installed here.\n    HINT: apt-get install podman',
  )
}

const openEngine = (program: string, kind: Engine['kind']): Engine => ({
  program,
  kind,
  attempt: (args, options) => attempt(program, args, options),
  run: async (args, options) => {
    const { isDone, stdout, stderr } = await attempt(program, args, options)
    if (!isDone) throw new Error(`${kind} ${args.slice(0, 2).join(' ')}: ${stderr.trim().slice(-OUTPUT_SHOWN)}`)
    return stdout
  },
})

/** It gets the whole environment of whoever types the command: there it finds its store, or the machine it talks to. */
const attempt = (
  program: string,
  args: readonly string[],
  { timeoutMs = ANSWER_MS, signal }: RunOptions = {},
): Promise<Attempt> =>
  new Promise((resolve) =>
    execFile(
      program,
      args,
      { timeout: timeoutMs, maxBuffer: OUTPUT_BYTES_MAX, ...(signal ? { signal } : {}) },
      (error, stdout, stderr) => resolve({ isDone: !error, stdout, stderr: stderr || (error ? endOf(error) : '') }),
    ),
  )

/** Where it said nothing. Its own message would repeat every word that it was called with. */
const endOf = ({ code, signal }: ExecFileException): string => `ended with ${code ?? signal}`
