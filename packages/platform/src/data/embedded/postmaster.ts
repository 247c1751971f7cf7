import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { pause } from '@seaworthy/core'

/** What the server of this cluster has written about itself; undefined when none runs that ended cleanly. */
export function readPostmaster(cluster: string): { pid: number; port: number } | undefined {
  try {
    const lines = readFileSync(join(cluster, 'postmaster.pid'), 'utf8').split('\n')
    return { pid: Number(lines[0]), port: Number(lines[3]) }
  } catch {
    return undefined
  }
}

/** The pid may belong to somebody else by now: after a restart of the machine small numbers come again. */
export function isServer(pid: number): boolean {
  if (!isAlive(pid)) return false
  if (process.platform !== 'linux') return true
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('postgres')
  } catch {
    return false
  }
}

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || !/\) Z /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}

/** Ends at once the server of this cluster, whoever has left it: for drafts that nobody needs any more. */
export async function killServerOf(cluster: string): Promise<void> {
  const running = readPostmaster(cluster)
  if (!running || !isServer(running.pid) || !runsOn(running.pid, cluster)) return
  process.kill(running.pid, 'SIGQUIT')
  while (isAlive(running.pid)) await pause(25)
}

function runsOn(pid: number, cluster: string): boolean {
  if (process.platform !== 'linux') return true
  return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(cluster)
}
