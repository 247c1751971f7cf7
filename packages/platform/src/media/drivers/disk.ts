import { createReadStream } from 'node:fs'
import { access, constants, copyFile, link, mkdir, open, rename, rm, stat, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { newId } from '@seaworthy/core'
import type { BlobStore } from '../store.ts'

/**
 * Blobs as files below a directory: `<account>/ab/<hash>`. With `freshDirectory`, on the same file system, each has a
 * second name there before the first: whoever makes backups takes it from there, and no file is ever missed.
 */
export async function openDiskStore(directory: string, freshDirectory?: string): Promise<BlobStore> {
  const drafts = join(directory, '.drafts')
  await mkdir(drafts, { recursive: true, mode: 0o700 })
  const pathOf = (key: string): string => {
    const [account = '', hash = ''] = key.split('/')
    return join(directory, account, hash.slice(0, 2), hash)
  }
  if (freshDirectory) await mkdir(freshDirectory, { recursive: true, mode: 0o700 })
  const publishBlob = async (key: string, draft: string): Promise<void> => {
    if (freshDirectory) await nameAlso(draft, join(freshDirectory, key.replace('/', '.')))
    await publish(draft, pathOf(key))
  }
  const putBy = async (key: string, write: (draft: string) => Promise<void>): Promise<void> => {
    const draft = join(drafts, newId())
    try {
      await write(draft)
      await publishBlob(key, draft)
    } finally {
      await rm(draft, { force: true })
    }
  }
  return {
    putFile: (key, file) =>
      publishBlob(key, file).catch((error: NodeJS.ErrnoException) => {
        // The directory is a volume of its own: no name can be moved there from another one.
        if (error.code !== 'EXDEV') throw error
        return putBy(key, (draft) => copyFile(file, draft, constants.COPYFILE_EXCL))
      }),
    putBytes: (key, bytes) => putBy(key, (draft) => writeFile(draft, bytes, { flag: 'wx', mode: 0o600 })),
    read: async (key, range) => {
      const path = pathOf(key)
      return (await sizeOf(path)) === undefined ? undefined : Readable.from(createReadStream(path, range))
    },
    size: (key) => sizeOf(pathOf(key)),
    delete: (key) => rm(pathOf(key), { force: true }),
    deleteAccount: (accountId) => rm(join(directory, accountId), { recursive: true, force: true }),
    ping: () => access(directory, constants.W_OK),
  }
}

async function nameAlso(draft: string, name: string): Promise<void> {
  await link(draft, name).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'EEXIST') throw error
  })
}

/** Durable before it is visible; the same content under the same name replaces itself. */
async function publish(draft: string, target: string): Promise<void> {
  await mkdir(dirname(target), { recursive: true, mode: 0o700 })
  const handle = await open(draft, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(draft, target)
  await syncDirectory(dirname(target))
}

/** The name is as durable as the bytes. */
async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  try {
    return (await stat(path)).size
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}
