import { createReadStream } from 'node:fs'
import { mkdir, readdir, rename, rm, stat, utimes, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { type AccountId, newId } from '@seaworthy/core'
import { renderDerivative } from './drivers/sharp.ts'
import type { MediaAddress } from './signed-url.ts'
import type { BlobStore } from './store.ts'
import type { WorkQueue } from './work-queue.ts'

/** Smaller versions of photos, made on demand and kept on this machine's disk: a cache that may be deleted at any time. */
export interface Derivatives {
  /** Undefined when the original is gone. */
  open(address: MediaAddress): Promise<{ path: string; bytes: number } | undefined>
  /** Those of a photo that is gone. */
  remove(accountId: AccountId, hash: string): Promise<void>
  /** Those of all photos of an account. */
  removeAccount(accountId: AccountId): Promise<void>
  /** Removes the least recently read files until at most `maxBytes` are left. */
  trim(maxBytes: number): Promise<void>
}

export function createDerivatives(directory: string, store: BlobStore, queue: WorkQueue): Derivatives {
  const making = new Map<string, Promise<boolean>>()
  return {
    open: async (address) => {
      const path = join(directory, address.accountId, `${address.hash}-${address.variant}`)
      const found = await touch(path)
      if (found) return found
      const task = making.get(path) ?? make(path, address, store, queue).finally(() => making.delete(path))
      making.set(path, task)
      return (await task) ? touch(path) : undefined
    },
    remove: async (accountId, hash) => {
      const folder = join(directory, accountId)
      const names = await readdir(folder).catch(() => [])
      for (const name of names) if (name.startsWith(`${hash}-`)) await rm(join(folder, name), { force: true })
    },
    removeAccount: (accountId) => rm(join(directory, accountId), { recursive: true, force: true }),
    trim: (maxBytes) => trim(directory, maxBytes),
  }
}

async function make(path: string, address: MediaAddress, store: BlobStore, queue: WorkQueue): Promise<boolean> {
  const [width = '', format = ''] = address.variant.split('.')
  return queue.run(async () => {
    const source = await store.read(`${address.accountId}/${address.hash}`)
    if (!source) return false
    const bytes = await renderDerivative(await buffer(source), Number(width), format as 'webp' | 'avif')
    await mkdir(dirname(path), { recursive: true, mode: 0o700 })
    const draft = `${path}.${newId()}`
    await writeFile(draft, bytes, { mode: 0o600 })
    await rename(draft, path)
    return true
  })
}

/** The file's size, and a mark that it was read now. */
async function touch(path: string): Promise<{ path: string; bytes: number } | undefined> {
  try {
    const { size } = await stat(path)
    const now = new Date()
    await utimes(path, now, now)
    return { path, bytes: size }
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

async function trim(directory: string, maxBytes: number): Promise<void> {
  const names = await readdir(directory, { recursive: true }).catch(() => [])
  const files: { path: string; size: number; mtimeMs: number }[] = []
  for (const name of names) {
    const found = await stat(join(directory, name)).catch(() => undefined)
    if (found?.isFile()) files.push({ path: join(directory, name), size: found.size, mtimeMs: found.mtimeMs })
  }
  let total = files.reduce((sum, file) => sum + file.size, 0)
  for (const file of files.sort((a, b) => a.mtimeMs - b.mtimeMs)) {
    if (total <= maxBytes) return
    await rm(file.path, { force: true })
    total -= file.size
  }
}

export const readDerivative = (path: string, range?: { start: number; end: number }): Readable =>
  createReadStream(path, range)
