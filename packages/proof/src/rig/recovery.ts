import { mkdirSync, readdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import type { DatabaseClient } from './database.ts'
import { keysOrThrow } from './keys.ts'
import type { Rig } from './rig.ts'
import { type ProgramRun, runProgram } from './run-program.ts'
import { type Stack, startStack } from './stack.ts'
import { until } from './wait.ts'

/** An installation whose archive goes to a store, with a recovery kit that somebody carried away. */
export interface Guarded {
  readonly stack: Stack
  readonly admin: DatabaseClient
  readonly store: string
  readonly kit: string
  /** `seaworthy backup`. Throws when it fails. */
  backUp(): Promise<void>
  /** Waits until everything that is committed is in the store. */
  archived(): Promise<void>
  /** The machine is gone: its processes and its disk. */
  destroy(): Promise<void>
  /** `seaworthy restore` on an empty machine, with store and kit, or shares of a kit, and nothing else. */
  restore(to: string, shares?: readonly string[]): Promise<Recovered>
}

interface Recovered extends ProgramRun {
  readonly directory: string
  /** What is there after a failure. Nothing must be. */
  readonly left: readonly string[]
  start(): Promise<Stack>
}

const passphrase = 'four boats in the harbour'
const COMMAND_MS = 120_000
const ARCHIVED_MS = 30_000

export async function openGuarded(rig: Rig, environment: Readonly<Record<string, string>> = {}): Promise<Guarded> {
  const store = join(rig.scratch, 'store')
  mkdirSync(store, { recursive: true })
  const settings = { WORKER_PROCESSES: '0', ...environment }
  const stack = await rig.start({ environment: { ...settings, BACKUP_STORES: store } })
  const kit = join(rig.scratch, 'kit.txt')
  const here = { product: rig.product, dataDirectory: stack.dataDirectory }
  await keysOrThrow(here, ['kit', kit], [passphrase, passphrase])
  await keysOrThrow(here, ['kit', '--verify', kit], [passphrase])
  const admin = await stack.database('admin')
  const command = (args: readonly string[], dataDirectory: string, input = ''): Promise<ProgramRun> =>
    runProgram(process.execPath, [join(rig.product, 'packages', 'cli', 'dist', 'main.js'), ...args], {
      input,
      environment: { DATA_DIR: dataDirectory, BACKUP_STORES: store },
      timeoutMs: COMMAND_MS,
    })
  let machines = 0
  return {
    stack,
    admin,
    store,
    kit,
    backUp: () => untilBackedUp(() => command(['backup'], stack.dataDirectory)),
    archived: async () => {
      const { rows } = await admin.query<{ name: string }>('select pg_walfile_name(pg_switch_wal()) as name')
      const name = rows[0]?.name ?? ''
      const spool = join(stack.dataDirectory, 'recovery', 'spool')
      await until(
        'everything is in the store',
        async () => {
          const { rows: last } = await admin.query<{ done: boolean }>(
            'select last_archived_wal >= $1 as done from pg_stat_archiver',
            [name],
          )
          return last[0]?.done === true && !readdirSync(spool).some((waiting) => waiting <= name)
        },
        ARCHIVED_MS,
      )
    },
    destroy: async () => {
      const parts = await Promise.all((['supervisor', 'web', 'database'] as const).map((part) => stack.pids(part)))
      for (const pid of parts.flat()) process.kill(pid, 'SIGKILL')
      await stack.exited
      rmSync(stack.dataDirectory, { recursive: true, force: true, maxRetries: 5 })
    },
    restore: async (to, shares) => {
      const directory = join(rig.scratch, `machine-${++machines}`)
      const run = await command(
        ['restore', '--to', to, '--into', directory, '--from', store, '--kit', ...(shares ?? [kit])],
        directory,
        shares ? '' : `${passphrase}\n`,
      )
      const left = readdirSync(rig.scratch).filter((name) => name.includes(`machine-${machines}`))
      const start = async (): Promise<Stack> => {
        const restored = await startStack({ product: rig.product, directory, environment: settings })
        rig.defer(() => restored.stop())
        return restored
      }
      return { ...run, directory, left, start }
    },
  }
}

/** The schedule may be making the first one at this moment. */
async function untilBackedUp(backUp: () => Promise<ProgramRun>): Promise<void> {
  await until(
    'a recovery point is made',
    async () => {
      const { code, stderr } = await backUp()
      if (code !== 0 && !stderr.includes('Another backup')) throw new Error(`backup ended with ${code}: ${stderr}`)
      return code === 0
    },
    COMMAND_MS,
  )
}

/** The objects of the log in a store, the oldest first. */
export const segmentsIn = (store: string): readonly string[] =>
  readdirSync(join(store, 'wal'), { recursive: true, encoding: 'utf8' })
    .filter((path) => /\/[0-9A-F]{24}$/.test(path))
    .map((path) => join('wal', path))
    .sort()
