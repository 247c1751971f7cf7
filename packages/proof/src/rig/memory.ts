import { readdirSync, readFileSync, writeFileSync } from 'node:fs'

/** What a process holds now, in bytes. */
export const residentBytes = (pid: number): number => sizeOf(pid, 'VmRSS')

/** The most that it held since it began, or since `forgetPeak`, in bytes. */
export const peakBytes = (pid: number): number => sizeOf(pid, 'VmHWM')

/** The kernel counts the peak from here on. */
export const forgetPeak = (pid: number): void => writeFileSync(`/proc/${pid}/clear_refs`, '5')

/** Files, sockets and pipes that a process has open. */
export const openFiles = (pid: number): number => readdirSync(`/proc/${pid}/fd`).length

function sizeOf(pid: number, name: string): number {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8')
  return Number(new RegExp(`^${name}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1]) * 1_024
}
