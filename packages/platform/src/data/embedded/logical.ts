import { existsSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MiB } from '@seaworthy/core'

const markOf = (dataDirectory: string): string => join(dataDirectory, 'database.logical')
const KEEP_MAX_MB = 8_192

/**
 * From the next start on the embedded server writes what another server needs to follow it change by change, which is more
 * log; or no more. A server that has a slot for that does not start without: remove the slot first.
 */
export function wantLogical(dataDirectory: string, isWanted: boolean): void {
  if (isWanted) writeFileSync(markOf(dataDirectory), '', { mode: 0o600, flush: true })
  else rmSync(markOf(dataDirectory), { force: true })
}

/** What waits for whoever follows takes at most half of what is free: beyond it he begins again, and the database goes on. */
export function logicalSettings(dataDirectory: string): Readonly<Record<string, string | number>> {
  if (!existsSync(markOf(dataDirectory))) return {}
  const { bavail, bsize } = statfsSync(dataDirectory)
  const keepMb = Math.max(64, Math.min(KEEP_MAX_MB, Math.floor((bavail * bsize) / 2 / MiB)))
  return { wal_level: 'logical', max_slot_wal_keep_size: `${keepMb}MB` }
}
