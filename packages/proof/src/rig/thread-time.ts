import { readdirSync, readFileSync } from 'node:fs'

/** How long the first thread of a process has run in all, in milliseconds: other programs do not add to it. */
export const mainThreadMs = (pid: number): number => threadMs(pid, pid)

/** The same for all threads but the first: what it has handed to others. */
export const otherThreadsMs = (pid: number): number =>
  readdirSync(`/proc/${pid}/task`)
    .filter((thread) => thread !== String(pid))
    .reduce((sum, thread) => sum + threadMs(pid, Number(thread)), 0)

const threadMs = (pid: number, thread: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]) / 1e6
