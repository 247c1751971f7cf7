import { readFileSync } from 'node:fs'

/** A process, told apart from a later one that was given the same number. */
export interface ProcessMark {
  readonly pid: number
  /** In ticks since the machine started, as the kernel counts. */
  readonly started: string
}

/** Undefined when there is no such process, or only what is left of it. */
export function markOf(pid: number): ProcessMark | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // The name of the program stands in brackets and may hold anything.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ')
    return fields[0] === 'Z' ? undefined : { pid, started: fields[19] ?? '' }
  } catch {
    return undefined
  }
}

export const isRunning = (mark: ProcessMark): boolean => markOf(mark.pid)?.started === mark.started

/** Resident memory in bytes; zero when it is gone. */
export function memoryOf(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/statm`, 'utf8').split(' ')[1]) * PAGE
  } catch {
    return 0
  }
}

const PAGE = 4_096
