import { readFileSync } from 'node:fs'
import { availableParallelism } from 'node:os'
import type { Ceiling } from './words.ts'

const UNLIMITED = 1_048_576
/** Far more than a container may have: its own limit is `pids`. Podman without all powers cannot give what the kernel would. */
const PROCESSES = 16_384

/** What whoever types the command may give a process at most, as the kernel has it. */
export function readCeiling(): Ceiling {
  const text = readFileSync('/proc/self/limits', 'utf8')
  const hard = (name: string): number => {
    const found = new RegExp(`^${name} +\\S+ +(\\S+)`, 'm').exec(text)?.[1]
    return found === undefined || found === 'unlimited' ? UNLIMITED : Number(found)
  }
  return {
    cpus: availableParallelism(),
    openFiles: hard('Max open files'),
    processes: Math.min(PROCESSES, hard('Max processes')),
  }
}
