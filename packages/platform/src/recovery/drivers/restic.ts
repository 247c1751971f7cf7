import { type ChildProcessByStdio, spawn } from 'node:child_process'
import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import type { Readable } from 'node:stream'
import { SECOND } from '@seaworthy/core'
import { childEnvironment } from '../../config/index.ts'
import type { Repository } from '../shelf.ts'
import type { Store } from '../store.ts'

/** The program that keeps copies of the database: encrypted, and only what differs from the copies before. */
export interface Restic {
  /** Makes the repository where there is none. */
  prepare(store: Store): Promise<void>
  /** Files of a directory by their names. Gives the id of the snapshot. */
  save(store: Store, settings: { directory: string; names: readonly string[]; tag: string }): Promise<Saved>
  /** One file of a snapshot. `done` rejects when it ended early. */
  open(
    store: Store,
    snapshot: string,
    name: string,
  ): Promise<{ readonly bytes: Readable; readonly done: Promise<void> }>
  snapshots(store: Store): Promise<readonly Snapshot[]>
  /** Removes snapshots, and what no other one needs. */
  forget(store: Store, ids: readonly string[]): Promise<void>
  /** Reads the whole repository. Throws with what is wrong. */
  check(store: Store): Promise<void>
}

interface Saved {
  readonly snapshot: string
  /** What the repository grew by. */
  readonly addedBytes: number
}

interface Snapshot {
  readonly id: string
  readonly tags: readonly string[]
  /** In milliseconds since 1970. */
  readonly at: number
}

/** Throws with one line that says what to do where it is not installed. */
export function findRestic(given: string | undefined): Restic {
  const program =
    given ??
    (childEnvironment({}).PATH ?? '')
      .split(delimiter)
      .map((path) => join(path, 'restic'))
      .find(isProgram)
  if (!program || !isProgram(program))
    throw new Error(
      `restic is not installed${given ? ` as ${given}` : ''}: there are no backups without it.\n    HINT: sudo apt-get install restic, or set RESTIC to where it is`,
    )
  return openRestic(program)
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

function openRestic(program: string): Restic {
  const run = async (store: Store, args: readonly string[], directory?: string): Promise<string> =>
    textOf(await start(program, store, args, directory))
  const snapshots = async (store: Store): Promise<readonly Snapshot[]> => {
    const all = JSON.parse(await run(store, ['snapshots', '--json'])) as
      | { id: string; time: string; tags?: string[] }[]
      | null
    return (all ?? []).map(({ id, time, tags }) => ({ id, tags: tags ?? [], at: Date.parse(time) }))
  }
  return {
    prepare: async (store) => {
      // Asking costs a second; a repository without its configuration is none.
      const isThere = await run(store, ['cat', 'config']).then(
        () => true,
        () => false,
      )
      if (!isThere) await run(store, ['init'])
    },
    save: async (store, { directory, names, tag }) => {
      const addedBytes = parseAdded(await run(store, saveArguments(names, tag), directory))
      // What it says itself is the beginning of the id only.
      const [snapshot] = (await snapshots(store)).filter(({ tags }) => tags.includes(tag))
      if (!snapshot) throw new Error('restic has no snapshot of what it has saved')
      return { snapshot: snapshot.id, addedBytes }
    },
    open: async (store, snapshot, name) => {
      const { child, done } = await start(program, store, ['dump', snapshot, name])
      return { bytes: child.stdout, done }
    },
    snapshots,
    forget: async (store, ids) => {
      if (ids.length === 0) return
      await run(store, ['unlock'])
      await run(store, ['forget', '--prune', ...ids])
    },
    check: async (store) => {
      await run(store, ['unlock'])
      await run(store, ['check', '--read-data'])
    },
  }
}

/** A lock is a file in the repository. */
function isReadOnly({ address }: Repository): boolean {
  try {
    accessSync(address, constants.W_OK)
    return false
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EROFS'
  }
}

/** Always whole: a copy that was read twice is another file to restic, whatever its time says. */
const saveArguments = (names: readonly string[], tag: string): readonly string[] => [
  'backup',
  '--json',
  '--force',
  '--host',
  'seaworthy',
  '--tag',
  tag,
  ...names,
]

function parseAdded(lines: string): number {
  for (const line of lines.trim().split('\n').reverse()) {
    const said = JSON.parse(line) as { message_type: string; data_added: number }
    if (said.message_type === 'summary') return said.data_added
  }
  throw new Error('restic ended without saying what it has saved')
}

interface Running {
  readonly child: ChildProcessByStdio<null, Readable, Readable>
  /** Rejects when it ended early, with what the shelf said where that was the reason. */
  readonly done: Promise<void>
}

async function start(program: string, store: Store, args: readonly string[], directory?: string): Promise<Running> {
  const repository = await store.shelf.openRepository()
  const lock = isReadOnly(repository) ? ['--no-lock'] : []
  const child = spawn(program, ['--no-cache', ...lock, ...args], {
    cwd: directory,
    stdio: ['ignore', 'pipe', 'pipe'],
    // In the environment, not among the arguments, which everybody on the machine can read.
    env: childEnvironment({
      RESTIC_REPOSITORY: repository.address,
      RESTIC_PASSWORD: store.password.reveal(),
      RESTIC_PROGRESS_FPS: '0',
    }),
  })
  return { child, done: endOf(child, args[0] ?? '', repository) }
}

async function textOf({ child, done }: Running): Promise<string> {
  const chunks: Buffer[] = []
  child.stdout.on('data', (chunk: Buffer) => chunks.push(chunk))
  await done
  return Buffer.concat(chunks).toString()
}

const LAST_WORDS_MS = 5 * SECOND

function endOf(child: Running['child'], what: string, repository: Repository): Promise<void> {
  let said = ''
  let failure: Error | undefined
  repository.onFailure((error) => {
    failure = error
    // It takes its lock away first, if it still can.
    child.kill('SIGINT')
    setTimeout(() => child.kill('SIGKILL'), LAST_WORDS_MS).unref()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    said = (said + chunk).slice(-2_000)
  })
  const ended = new Promise<void>((resolve, reject) => {
    child.once('error', (cause) => {
      repository.close()
      reject(new Error(`restic ${what} could not be started`, { cause }))
    })
    child.once('close', (code, signal) => {
      repository.close()
      if (failure) reject(failure)
      else if (code === 0) resolve()
      else reject(new Error(`restic ${what} ended with ${code ?? signal}: ${said.trim()}`))
    })
  })
  // Whoever reads the bytes may fail first.
  ended.catch(() => undefined)
  return ended
}
