import { accessSync, chmodSync, constants, lstatSync, renameSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { dirname } from 'node:path'

/** The name of the Unix socket that a proxy opens. Who holds it is known by the file's inode. */
export interface SocketName {
  /** What listens under its draft gets the name. Throws the first time when somebody else has taken it meanwhile. */
  publish(): void
  /** Only while it is still ours: another release may have it by now. */
  remove(): void
}

/** Readable and writable for the owner and the group of the socket, which the proxy is in. */
const MODE = 0o660

/**
 * Where web processes bind. A socket is removed by the name it was bound to when it is closed, whoever has that name by
 * then, so that must not be the public one.
 */
export const socketDraft = (path: string, supervisorPid: number): string => `${path}.${supervisorPid}`

/** Throws with words when the name cannot be taken: somebody answers there, or it is something else. */
export async function takeSocketName(path: string): Promise<SocketName> {
  refuseDirectory(dirname(path))
  const stale = inodeOf(path)
  if (stale !== undefined) await refuseOthers(path)
  const draft = socketDraft(path, process.pid)
  // Of a start with the same process id, as every first process of a container has it.
  rmSync(draft, { force: true })
  let ours: number | undefined
  return {
    publish: () => {
      const made = inodeOf(draft)
      if (made === undefined) return
      const holder = inodeOf(path)
      if (holder !== undefined && holder !== stale && holder !== ours) {
        if (ours !== undefined) return
        throw new Error(takenBy(path))
      }
      chmodSync(draft, MODE)
      renameSync(draft, path)
      ours = made
    },
    remove: () => {
      if (ours !== undefined && inodeOf(path) === ours) rmSync(path, { force: true })
    },
  }
}

const inodeOf = (path: string): number | undefined => lstatSync(path, { throwIfNoEntry: false })?.ino

const takenBy = (path: string): string =>
  `Another program answers at the socket ${path}.\n    HINT: stop it, or set SOCKET to another path.`

function refuseDirectory(directory: string): void {
  try {
    accessSync(directory, constants.W_OK | constants.X_OK)
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException
    throw new Error(
      code === 'ENOENT'
        ? `The directory of SOCKET does not exist: ${directory}.\n    HINT: mkdir -p "${directory}"`
        : `No socket can be made in ${directory}: ${(cause as Error).message}.\n    HINT: ls -ld "${directory}"`,
      { cause },
    )
  }
}

/** What is left of a process that was killed refuses connections, and may be replaced. */
async function refuseOthers(path: string): Promise<void> {
  const found = lstatSync(path)
  if (!found.isSocket() && !found.isSymbolicLink())
    throw new Error(`SOCKET is no socket, but something else is there: ${path}.\n    HINT: set SOCKET to another path.`)
  const code = await new Promise<string | undefined>((resolve) => {
    const probe = connect(path)
    probe.once('connect', () => {
      probe.destroy()
      resolve(undefined)
    })
    probe.once('error', (error: NodeJS.ErrnoException) => resolve(error.code))
  })
  if (code === 'ECONNREFUSED' || code === 'ENOENT') return
  throw new Error(
    code === undefined || code === 'EAGAIN'
      ? takenBy(path)
      : `The socket ${path} is there and cannot be looked at (${code}).\n    HINT: ls -l "${path}"`,
  )
}
