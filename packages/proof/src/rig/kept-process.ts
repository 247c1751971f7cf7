import { type ChildProcess, fork } from 'node:child_process'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** A program that ends when we do. */
export interface KeptProcess {
  /** Of the program itself. */
  readonly pid: Promise<number>
  readonly output: () => string
  readonly exited: Promise<Exit>
  exit(): Exit | undefined
  signal(name: NodeJS.Signals): Promise<void>
}

export interface Exit {
  /** -1 when a signal ended it. */
  readonly code: number
  readonly atMs: number
}

/** Compiled, also when this runs from its source. */
const keeperFile = join(import.meta.dirname.replace(/([\\/])src([\\/]rig)$/, '$1dist$2'), 'keeper.js')

export function keepProcess(
  command: string,
  args: readonly string[],
  options: { readonly env: NodeJS.ProcessEnv; readonly cwd?: string },
): KeptProcess {
  const keeper = fork(keeperFile, [command, ...args], {
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    execArgv: [],
    ...options,
  })
  let output = ''
  for (const stream of [keeper.stdout, keeper.stderr])
    stream?.on('data', (chunk) => {
      output += chunk
    })
  let ended: Exit | undefined
  const exited = new Promise<Exit>((resolve) => {
    const end = (code: number): void => {
      ended ??= { code, atMs: performance.now() }
      resolve(ended)
    }
    keeper.on('message', (message: { code?: number }) => message.code !== undefined && end(message.code))
    keeper.once('exit', (code) => end(code ?? -1))
  })
  const pid = pidFrom(keeper)
  return {
    pid,
    output: () => output,
    exited,
    exit: () => ended,
    signal: async (name) => {
      const id = await pid
      if (!ended && isAlive(id)) process.kill(id, name)
    },
  }
}

function pidFrom(keeper: ChildProcess): Promise<number> {
  const pid = new Promise<number>((resolve, reject) => {
    keeper.on('message', (message: { pid?: number }) => message.pid && resolve(message.pid))
    keeper.once('exit', () => reject(new Error('the program could not be started')))
  })
  pid.catch(() => undefined)
  return pid
}

/** False also for one that has ended and was not yet waited for. */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
