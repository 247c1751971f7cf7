import { opendir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { BlobList } from './retention.ts'
import { keyOfBlob, shipBlob } from './ship.ts'
import type { Store } from './store.ts'

const AT_ONCE = 4

/** The files of all accounts, as they are below `directory`. */
export async function listBlobsOnDisk(directory: string): Promise<BlobList> {
  const list: (readonly [string, string, number])[] = []
  for await (const account of entriesOf(directory))
    if (/^[0-9a-f-]{36}$/.test(account)) for await (const blob of blobsOf(directory, account)) list.push(blob)
  return list
}

async function* blobsOf(directory: string, account: string): AsyncGenerator<readonly [string, string, number]> {
  for await (const part of entriesOf(join(directory, account)))
    for await (const hash of entriesOf(join(directory, account, part))) {
      const found = await stat(join(directory, account, part, hash)).catch(() => undefined)
      if (found) yield [account, hash, found.size]
    }
}

async function* entriesOf(path: string): AsyncGenerator<string> {
  const directory = await opendir(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return undefined
    throw error
  })
  if (directory) for await (const { name } of directory) yield name
}

/** Those that the store does not have are brought there. Returns how many. */
export async function bringBlobs(store: Store, directory: string, list: BlobList): Promise<number> {
  const there = new Set<string>()
  for await (const { key } of store.shelf.list('blobs/')) there.add(key)
  const missing = list.filter(([account, hash]) => !there.has(keyOfBlob(account, hash)))
  for (let at = 0; at < missing.length; at += AT_ONCE)
    await Promise.all(
      missing
        .slice(at, at + AT_ONCE)
        .map(([account, hash]) =>
          shipBlob(store, keyOfBlob(account, hash), join(directory, account, hash.slice(0, 2), hash)),
        ),
    )
  return missing.length
}
