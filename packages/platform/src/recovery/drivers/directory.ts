import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { mkdir, open, opendir, rename, rm, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { RefusedError, type Shelf, type ShelfEntry } from '../shelf.ts'

/** A directory, best on another disk or machine. It is never made: an empty mount point must not pass for the store. */
export function openDirectoryShelf(directory: string): Shelf {
  const pathOf = (key: string): string => join(directory, key)
  const ping = async (): Promise<void> => {
    const found = await stat(directory).catch(() => undefined)
    if (!found?.isDirectory())
      throw new Error(`The store ${directory} is not there.\n    HINT: mount it, or make it: mkdir -p "${directory}"`)
  }
  return {
    name: directory,
    put: async (key, bytes) => {
      await ping()
      const target = pathOf(key)
      const drafts = join(directory, 'drafts')
      const draft = join(drafts, randomBytes(8).toString('hex'))
      await mkdir(drafts, { recursive: true, mode: 0o700 })
      await mkdir(dirname(target), { recursive: true, mode: 0o700 })
      try {
        await writeDurably(draft, bytes)
        await rename(draft, target).catch(orRefused(`${directory} does not take ${key}`))
        await syncDirectory(dirname(target))
      } finally {
        await rm(draft, { force: true })
      }
    },
    get: async (key, range) => {
      await ping()
      return (await sizeOf(pathOf(key))) === undefined ? undefined : createReadStream(pathOf(key), { ...range })
    },
    size: async (key) => {
      await ping()
      return sizeOf(pathOf(key))
    },
    list: (prefix) => walk(directory, prefix.replace(/\/$/, '')),
    delete: (key) => remove(pathOf(key)).catch(orRefused(`${directory} does not delete ${key}`)),
    ping,
    openRepository: async () => ({
      address: join(directory, 'restic'),
      onFailure: () => undefined,
      close: () => undefined,
    }),
  }
}

/** `rm` takes what it may not remove for a directory. */
const remove = (path: string): Promise<void> =>
  unlink(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error
  })

const orRefused =
  (words: string) =>
  (cause: NodeJS.ErrnoException): never => {
    if (cause.code !== 'EPERM' && cause.code !== 'EACCES') throw cause
    throw new RefusedError(`${words}: its files may not be changed by us.`, { cause })
  }

async function writeDurably(path: string, bytes: AsyncIterable<Buffer> | Iterable<Buffer>): Promise<void> {
  const file = await open(path, 'wx', 0o600)
  try {
    for await (const chunk of bytes) await file.write(chunk)
    await file.datasync()
  } finally {
    await file.close()
  }
}

async function syncDirectory(path: string): Promise<void> {
  const handle = await open(path, 'r')
  try {
    await handle.sync()
  } finally {
    await handle.close()
  }
}

async function sizeOf(path: string): Promise<number | undefined> {
  const found = await stat(path).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  return found?.isFile() ? found.size : undefined
}

async function* walk(root: string, prefix: string): AsyncGenerator<ShelfEntry> {
  const directory = await opendir(join(root, prefix)).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return undefined
    throw error
  })
  if (!directory) return
  for await (const entry of directory) {
    const key = prefix ? `${prefix}/${entry.name}` : entry.name
    if (entry.isDirectory()) {
      yield* walk(root, key)
      continue
    }
    const found = await stat(join(root, key)).catch(() => undefined)
    if (found) yield { key, bytes: found.size, at: found.mtimeMs }
  }
}
