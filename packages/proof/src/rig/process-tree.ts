import { readFileSync } from 'node:fs'

/** The processes that this one has started, and theirs. */
export function descendantsOf(pid: number): number[] {
  const children = childrenOf(pid)
  return children.concat(children.flatMap(descendantsOf))
}

function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean).map(Number)
  } catch {
    return []
  }
}

/** To a process and all that it has started; those that have ended meanwhile are left alone. */
export function signalTree(pid: number, name: NodeJS.Signals): number {
  let told = 0
  for (const id of [pid, ...descendantsOf(pid)]) {
    try {
      process.kill(id, name)
      told++
    } catch {
      // It has ended.
    }
  }
  return told
}
