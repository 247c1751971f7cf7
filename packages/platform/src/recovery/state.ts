import { createHash } from 'node:crypto'
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { Store } from './store.ts'

/** What has no past: of who was erased all counts, whatever instant is restored. */
const ERASURES = 'state/erasures'
const NONE = 'none'
const pathOf = (dataDirectory: string): string => join(dataDirectory, 'privacy', 'erasures.jsonl')

/**
 * Brings to a store what was added to the register of erasures since `known`, as a piece of its own: what a store has of
 * it is never written over. Returns what to know next time.
 */
export async function shipErasures(store: Store, dataDirectory: string, known: string | undefined): Promise<string> {
  const mark = await markOfErasures(dataDirectory)
  if (mark === NONE || mark === known) return mark
  const [ino] = mark.split(' ')
  const [knownIno, shipped] = (known ?? '').split(' ')
  const bytes = await readFile(pathOf(dataDirectory))
  // A line that is being written waits for its end.
  const end = bytes.lastIndexOf('\n') + 1
  const start = knownIno === ino && Number(shipped) <= end ? Number(shipped) : 0
  if (end > start) await putPiece(store, start, bytes.subarray(start, end))
  return `${ino} ${end}`
}

/** Of the whole register as it is here: its file, and how long that is. */
export async function markOfErasures(dataDirectory: string): Promise<string> {
  const found = await stat(pathOf(dataDirectory)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return found ? `${found.ino} ${found.size}` : NONE
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
