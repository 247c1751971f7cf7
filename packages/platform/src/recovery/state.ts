import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'

/** What has no past: of who was erased all counts, whatever instant is restored. */
const ERASURES = 'state/erasures'

/**
 * Brings to a store what was added to the register of erasures since `known`, as a piece of its own: what a store has of
 * it is never written over. Returns what to know next time.
 */
export async function shipErasures(store: Store, dataDirectory: string, known: string | undefined): Promise<string> {
  const path = join(dataDirectory, 'privacy', 'erasures.jsonl')
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!found) return 'none'
  if (known === `${found.ino} ${found.size}`) return known
  const [ino, shipped] = (known ?? '').split(' ')
  const bytes = await readFile(path)
  // A line that is being written waits for its end.
  const end = bytes.lastIndexOf('\n') + 1
  const start = ino === String(found.ino) && Number(shipped) <= end ? Number(shipped) : 0
  if (end > start) await putPiece(store, start, bytes.subarray(start, end))
  return `${found.ino} ${end}`
}

async function putPiece(store: Store, start: number, piece: Buffer): Promise<void> {
  const hash = createHash('sha256').update(piece).digest('hex').slice(0, 32)
  const key = `${ERASURES}/${String(start).padStart(12, '0')}-${hash}`
  if ((await store.shelf.size(key)) === undefined) await store.put(key, [piece])
}

/** Every line that the store ever got, once. Undefined where there is none. Throws `DamagedError`. */
export async function readErasures(store: Store): Promise<string | undefined> {
  const keys: string[] = []
  for await (const { key } of store.shelf.list('state/')) if (key.startsWith(ERASURES)) keys.push(key)
  const lines = new Set<string>()
  for (const key of keys.sort())
    for (const line of (await store.read(key))?.toString().split('\n') ?? []) lines.add(line)
  lines.delete('')
  return lines.size ? [...lines, ''].join('\n') : undefined
}
