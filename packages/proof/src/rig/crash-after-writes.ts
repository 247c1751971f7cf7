import { readFileSync } from 'node:fs'
import { descendantsOf, signalTree } from './process-tree.ts'

const WRITES = 16

/**
 * Kills a PostgreSQL, all of it at once, as soon as writes were acknowledged. Before them its process that brings the log to
 * the disk by and by is halted: so what is there afterwards is there because an answer waited for it. The ids of the writes.
 */
export async function crashAfterWrites(
  pid: number,
  write: () => Promise<string | undefined>,
): Promise<readonly string[]> {
  const writer = descendantsOf(pid).find((one) => readFileSync(`/proc/${one}/cmdline`, 'utf8').includes('walwriter'))
  if (!writer) throw new Error('the database has no process that writes its log')
  process.kill(writer, 'SIGSTOP')
  const ids = await Promise.all(Array.from({ length: WRITES }, write))
  signalTree(pid, 'SIGKILL')
  return ids.filter((id) => id !== undefined)
}
