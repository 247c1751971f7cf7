import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'

/** What has no past: of who was erased only the newest counts, whatever instant is restored. */
export const ERASURES = 'state/erasures.jsonl'

/** What the store has of the register. Undefined where it has nothing. Throws `DamagedError`. */
export const readErasures = async (store: Store): Promise<string | undefined> =>
  (await store.read(ERASURES))?.toString()

/** Brings the register of erasures to a store when it has changed since `known`. Returns what to know next time. */
export async function shipErasures(store: Store, dataDirectory: string, known: string | undefined): Promise<string> {
  const path = join(dataDirectory, 'privacy', 'erasures.jsonl')
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  const mark = found ? `${found.ino} ${found.size} ${found.mtimeMs}` : 'none'
  if (!found || mark === known) return mark
  await store.put(ERASURES, [await readFile(path)])
  return mark
}
