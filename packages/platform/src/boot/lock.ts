import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** One supervisor for one data directory. Throws with the other's pid; the mark of one that was killed is taken over. */
export function lockDataDirectory(dataDirectory: string): () => void {
  mkdirSync(dataDirectory, { recursive: true, mode: 0o700 })
  const path = join(dataDirectory, 'supervisor.pid')
  const other = readPid(path)
  if (other && other !== process.pid && isSeaworthy(other)) {
    throw new Error(
      `Another start is running on ${dataDirectory} (process ${other}).\n    HINT: stop it with kill ${other}, or set DATA_DIR to another directory.`,
    )
  }
  writeFileSync(path, String(process.pid))
  return () => {
    if (readPid(path) === process.pid) rmSync(path, { force: true })
  }
}

function readPid(path: string): number | undefined {
  try {
    return Number(readFileSync(path, 'utf8')) || undefined
  } catch {
    return undefined
  }
}

function isSeaworthy(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return process.platform !== 'linux' || readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('seaworthy')
  } catch {
    return false
  }
}
