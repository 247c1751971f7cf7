import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { basename, join } from 'node:path'

/** A restored database that takes the place of the one below a data directory. Paths are relative to that directory. */
export interface Swap {
  readonly restored: string
  /** Where the present one is kept. */
  readonly kept: string
  /** Segments that the restored one has archived already, which go the way of all others. */
  readonly archived: string
}

const journalOf = (dataDirectory: string): string => join(dataDirectory, 'database.swap.json')
const SPOOL = join('recovery', 'spool')

/** No server may run on either. Written down first: whatever ends this process, the next start finishes it. */
export function swapDatabase(dataDirectory: string, swap: Swap): void {
  const draft = `${journalOf(dataDirectory)}.draft`
  writeFileSync(draft, JSON.stringify(swap), { flush: true, mode: 0o600 })
  renameSync(draft, journalOf(dataDirectory))
  finishSwap(dataDirectory)
}

/** Does what is left of a swap that was begun. A start without it would find no database, and make an empty one. */
export function finishSwap(dataDirectory: string): void {
  const journal = journalOf(dataDirectory)
  if (!existsSync(journal)) return
  const { restored, kept, archived } = JSON.parse(readFileSync(journal, 'utf8')) as Swap
  const at = (path: string): string => join(dataDirectory, path)
  if (existsSync(at(restored))) {
    if (existsSync(at('database')) && !existsSync(at(kept))) renameSync(at('database'), at(kept))
    renameSync(at(restored), at('database'))
  }
  moveFiles(at(archived), at(SPOOL))
  rmSync(journal)
}

function moveFiles(from: string, to: string): void {
  if (!existsSync(from)) return
  mkdirSync(to, { recursive: true, mode: 0o700 })
  for (const name of readdirSync(from)) renameSync(join(from, name), join(to, basename(name)))
}
