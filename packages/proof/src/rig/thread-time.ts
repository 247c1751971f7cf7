import { readFileSync } from 'node:fs'

/** How long the first thread of a process has run in all, in milliseconds: other programs do not add to it. */
export const mainThreadMs = (pid: number): number =>
  Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, 'utf8').split(' ')[0]) / 1e6
