import { createHash } from 'node:crypto'
import { realpathSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import type { Layout } from './layout.ts'
import { isRunning, markOf, type ProcessMark } from './process-mark.ts'
import { readIfThere, writeAtomically } from './write-file.ts'

/** Who changes what this host serves. */
export interface Holder extends ProcessMark {
  readonly by: string
  readonly what: string
  readonly since: string
}

export class LockedError extends Error {
  readonly holder: Holder | undefined
  constructor(holder: Holder | undefined) {
    super(
      holder
        ? `Another ${holder.what} is under way here: by ${holder.by}, since ${holder.since}, process ${holder.pid}.\n    HINT: wait for it, or stop it with kill -INT ${holder.pid}: it then goes back by itself.`
        : 'Another command changes what this host serves right now.\n    HINT: try again in a moment.',
    )
    this.name = 'LockedError'
    this.holder = holder
  }
}

/**
 * One command at a time. The kernel keeps the lock, as a name that only one process can listen on, and gives it back
 * when that process is gone however it went; the file says who it is. Throws `LockedError`.
 */
export async function takeLock(layout: Layout, what: string, by: string): Promise<() => Promise<void>> {
  const server = createServer((socket) => socket.destroy())
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(error.code === 'EADDRINUSE' ? new LockedError(holderOf(layout)) : error),
    )
    server.listen(nameOf(layout), resolve)
  })
  server.unref()
  const mark = markOf(process.pid) ?? { pid: process.pid, started: '' }
  writeAtomically(layout.lock, `${JSON.stringify({ ...mark, by, what, since: new Date().toISOString() })}\n`)
  return async () => {
    rmSync(layout.lock, { force: true })
    await new Promise<void>((resolve) => server.close(() => resolve()))
  }
}

/** Undefined when nobody does. */
export function holderOf(layout: Layout): Holder | undefined {
  const text = readIfThere(layout.lock)
  const holder = text === undefined ? undefined : (JSON.parse(text) as Holder)
  return holder && isRunning(holder) ? holder : undefined
}

/** In the abstract namespace of Linux: no file of it is left behind by a process that was killed. */
const nameOf = ({ root }: Layout): string =>
  `\0seaworthy-host-${createHash('sha256').update(realpathSync(root)).digest('hex').slice(0, 24)}`
