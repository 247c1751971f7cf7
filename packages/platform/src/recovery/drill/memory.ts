import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** A bound for all processes that join it together. */
export interface MemoryLimit {
  /** Whoever writes its number into this file has joined. */
  readonly procs: string
  /** Only when all have ended. */
  close(): void
}

const ROOT = '/sys/fs/cgroup'
const PREFIX = 'seaworthy-drill-'

/** Undefined where the machine lets us make no control group. */
export function limitMemory(bytes: number, root = ROOT, self = '/proc/self/cgroup'): MemoryLimit | undefined {
  const parent = findParent(root, self)
  if (!parent) return undefined
  removeLeft(parent.path)
  const path = join(parent.path, `${PREFIX}${process.pid}`)
  try {
    mkdirSync(path)
    writeFileSync(join(path, parent.file), String(bytes))
    return { procs: join(path, 'cgroup.procs'), close: () => removeLeft(parent.path) }
  } catch {
    removeLeft(parent.path)
    return undefined
  }
}

/** Version 1 keeps memory in a tree of its own, version 2 has one tree for everything. */
function findParent(root: string, self: string): { readonly path: string; readonly file: string } | undefined {
  try {
    const lines = readFileSync(self, 'utf8').trim().split('\n')
    const first = lines.map((line) => /^\d+:memory:(.*)$/.exec(line)?.[1]).find((path) => path !== undefined)
    const second = lines.map((line) => /^0::(.*)$/.exec(line)?.[1]).find((path) => path !== undefined)
    const found =
      first === undefined
        ? { path: join(root, second ?? ''), file: 'memory.max' }
        : { path: join(root, 'memory', first), file: 'memory.limit_in_bytes' }
    return existsSync(found.path) ? found : undefined
  } catch {
    return undefined
  }
}

/** Also those of trials that were killed. The kernel keeps what is in use. */
function removeLeft(parent: string): void {
  for (const name of readdirSync(parent)) {
    if (!name.startsWith(PREFIX)) continue
    try {
      rmdirSync(join(parent, name))
    } catch {
      // Somebody is in it.
    }
  }
}
