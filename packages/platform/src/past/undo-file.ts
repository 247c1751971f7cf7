import { createHmac } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { buffer } from 'node:stream/consumers'
import { DAY, isId } from '@seaworthy/core'
import { type KeyRing, lengthPrefixed, sealStream, unsealStream } from '../vault/index.ts'
import type { Reference } from './references.ts'
import type { Text } from './rows.ts'

/** A row that a merge made or changed, and how it left it. */
export interface Touched {
  readonly table: string
  readonly account: string
  readonly key: readonly string[]
  /** Of all its columns. It is undone only while it looks like this. */
  readonly hash: string
  /** What was replaced, by column; undefined when the row was not there. */
  readonly before: Readonly<Record<string, Text>> | undefined
  /** Files that it refers to since then, and those that it does not any more. */
  readonly kept: readonly Pick<Reference, 'hash' | 'owner'>[]
  readonly discarded: readonly Pick<Reference, 'hash' | 'owner'>[]
}

/** What a merge did, in its order. */
interface UndoRecord {
  readonly id: string
  readonly at: string
  readonly touched: readonly Touched[]
}

export const UNDO_DAYS = 7

const folderOf = (dataDirectory: string): string => join(dataDirectory, 'recovery', 'merged')
const contextOf = (id: string): Buffer => lengthPrefixed('seaworthy undo 1', id)
const keyOf = (bytes: Buffer): Buffer => createHmac('sha256', bytes).update('seaworthy undo').digest()

/** Durable when it resolves. Sealed with the current key of the ring: it holds what people's rows held. */
export async function writeUndo(dataDirectory: string, ring: KeyRing, record: UndoRecord): Promise<void> {
  const folder = folderOf(dataDirectory)
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const path = join(folder, record.id)
  const by = ring.current()
  const file = await open(`${path}.draft`, 'w', 0o600)
  try {
    await file.write(by.id)
    const plain = Buffer.from(JSON.stringify(record))
    for await (const piece of sealStream(keyOf(by.bytes), contextOf(record.id), [plain])) await file.write(piece)
    await file.sync()
  } finally {
    await file.close()
  }
  await rename(`${path}.draft`, path)
}

const ID_BYTES = 16

/** Throws when there is none, when it was changed, or when its key is gone. */
export async function readUndo(dataDirectory: string, ring: KeyRing, id: string): Promise<UndoRecord> {
  const bytes = isId(id) ? await readFile(join(folderOf(dataDirectory), id)).catch(() => undefined) : undefined
  if (!bytes)
    throw new Error(
      `There is no merge ${id} to undo here.\n    HINT: they are kept for ${UNDO_DAYS} days in ${folderOf(dataDirectory)}`,
    )
  const ringKey = bytes.subarray(0, ID_BYTES).toString()
  const by = ring.find(ringKey)
  if (!by)
    throw new Error(
      `The key ${ringKey}, with which the merge was written down, is not here.\n    HINT: seaworthy keys restore KIT`,
    )
  const plain = await buffer(unsealStream(keyOf(by.bytes), contextOf(id), [bytes.subarray(ID_BYTES)]))
  return JSON.parse(plain.toString()) as UndoRecord
}

export const removeUndo = (dataDirectory: string, id: string): Promise<void> =>
  rm(join(folderOf(dataDirectory), id), { force: true })

/** They hold what people's rows held, and are kept only as long as somebody may want to go back. Returns how many went. */
export async function forgetUndo(dataDirectory: string, now: number): Promise<number> {
  const folder = folderOf(dataDirectory)
  let gone = 0
  for (const name of await readdir(folder).catch(() => [])) {
    const found = await stat(join(folder, name)).catch(() => undefined)
    if (!found || found.mtimeMs > now - UNDO_DAYS * DAY) continue
    await rm(join(folder, name), { force: true })
    gone++
  }
  return gone
}
