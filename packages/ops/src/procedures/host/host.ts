import { spawn } from 'node:child_process'
import { environmentOf } from './environment.ts'
import { entryIn, type Layout, releasePath } from './layout.ts'
import type { Runner } from './runner.ts'
import type { StepName } from './state.ts'

/** What the procedures on a host work with. */
export interface Host {
  readonly layout: Layout
  readonly runner: Runner
  /** Who asks, for people who find the lock taken: `anna@console`. */
  readonly by: string
  /** Somebody follows what happens. */
  readonly tell: (step: StepName | 'note', text: string) => void
  /** Runs a command of a release; its standard output. Throws with what it wrote when it fails. */
  readonly command: (release: string, args: readonly string[], options: CommandOptions) => Promise<string>
}

interface CommandOptions {
  readonly timeoutMs: number
  /** With the owner's address of the database. */
  readonly isOwner?: boolean
  /** Of this checkout or this image, whose release is not here yet. */
  readonly origin?: string
  readonly signal?: AbortSignal
}

const OUTPUT_SHOWN = 2_000

/** The program of the release with the environment of this host. */
export const commandOn =
  (layout: Layout): Host['command'] =>
  (release, args, { timeoutMs, isOwner = false, origin = releasePath(layout, release), signal }) =>
    new Promise((resolve, reject) => {
      const child = spawn(process.execPath, [entryIn(origin), ...args], {
        cwd: origin,
        env: environmentOf(layout, { isOwner }),
        stdio: ['ignore', 'pipe', 'pipe'],
        timeout: timeoutMs,
        killSignal: 'SIGKILL',
        ...(signal ? { signal } : {}),
      })
      let [stdout, stderr] = ['', '']
      child.stdout.on('data', (chunk) => {
        stdout += chunk
      })
      child.stderr.on('data', (chunk) => {
        stderr = (stderr + chunk).slice(-OUTPUT_SHOWN)
      })
      child.once('error', reject)
      child.once('close', (code, by) =>
        code === 0
          ? resolve(stdout)
          : reject(new Error(`seaworthy ${args.join(' ')} ended with ${code ?? by}: ${stderr.trim()}`)),
      )
    })
