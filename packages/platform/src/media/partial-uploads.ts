import { createWriteStream } from 'node:fs'
import { mkdir, open, readdir, rm, stat, unlink } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { type AccountCaller, type AccountId, fault, isId, newId, showBytes } from '@seaworthy/core'

/** A file that arrives in parts: after a break the sender asks how much is here and goes on from there. */
interface PartialUpload {
  readonly id: string
  /** Bytes that are here. */
  readonly offset: number
  /** Bytes that were announced. */
  readonly bytes: number
}

export interface PartialUploads {
  /** Throws `conflict` when too many of the account are open. */
  begin(caller: AccountCaller, bytes: number): Promise<PartialUpload>
  /** Throws `not_found`, which an upload that was forgotten is as well. */
  view(caller: AccountCaller, id: string): Promise<PartialUpload>
  /** Keeps what arrives, also when the rest does not. Throws `conflict` when `offset` is not where it ends. */
  append(caller: AccountCaller, id: string, offset: number, stream: Readable): Promise<PartialUpload>
  /** The path of a file that is complete. Throws `conflict` before. */
  take(caller: AccountCaller, id: string): Promise<string>
  remove(caller: AccountCaller, id: string): Promise<void>
  /** All of an account. */
  removeAccount(accountId: AccountId): Promise<void>
  /** Removes uploads that nothing was added to since. Returns how many. */
  sweep(beforeMs: number): Promise<number>
}

const OPEN_MAX = 5
const form = /^([0-9a-f-]{36})\.(\d{1,12})\.part$/

/** Kept on this machine's disk, one file for each, whose name holds the announced length. */
export function createPartialUploads(directory: string): PartialUploads {
  const folderOf = (accountId: AccountId): string => join(directory, accountId)
  const find = async (caller: AccountCaller, id: string): Promise<PartialUpload & { path: string }> => {
    const names = isId(id) ? await readdir(folderOf(caller.accountId)).catch(() => []) : []
    const name = names.find((candidate) => candidate.startsWith(`${id}.`))
    const bytes = Number(name && form.exec(name)?.[2])
    if (!name || Number.isNaN(bytes)) throw fault('not_found', { detail: 'There is no such upload any more.' })
    const path = join(folderOf(caller.accountId), name)
    return { id, bytes, offset: (await stat(path)).size, path }
  }
  return {
    begin: async (caller, bytes) => {
      const folder = folderOf(caller.accountId)
      await mkdir(folder, { recursive: true, mode: 0o700 })
      if ((await readdir(folder)).length >= OPEN_MAX)
        throw fault('conflict', { detail: `${OPEN_MAX} uploads are open already. Finish one of them first.` })
      const id = newId()
      await (await open(join(folder, `${id}.${bytes}.part`), 'wx', 0o600)).close()
      return { id, bytes, offset: 0 }
    },
    view: find,
    append: async (caller, id, offset, stream) => {
      const upload = await find(caller, id)
      if (offset !== upload.offset)
        throw fault('conflict', { detail: `${showBytes(upload.offset)} are here: go on from byte ${upload.offset}.` })
      await write(stream, upload)
      return find(caller, id)
    },
    take: async (caller, id) => {
      const { path, offset, bytes } = await find(caller, id)
      if (offset !== bytes) throw fault('conflict', { detail: `Only ${offset} of ${bytes} bytes are here.` })
      return path
    },
    remove: async (caller, id) => unlink((await find(caller, id)).path),
    removeAccount: (accountId) => rm(folderOf(accountId), { recursive: true, force: true }),
    sweep: (beforeMs) => sweep(directory, beforeMs),
  }
}

/** In order and at its place: what is written twice is the same. */
async function write(stream: Readable, { path, offset, bytes }: PartialUpload & { path: string }): Promise<void> {
  let left = bytes - offset
  const bounded = async function* (chunks: AsyncIterable<Buffer>) {
    for await (const chunk of chunks) {
      left -= chunk.length
      if (left < 0) throw fault('payload_too_large', { detail: 'This is more than was announced.' })
      yield chunk
    }
  }
  try {
    await pipeline(stream, bounded, createWriteStream(path, { flags: 'r+', start: offset }))
  } catch (error) {
    if (['ENOSPC', 'EDQUOT'].includes((error as NodeJS.ErrnoException).code ?? ''))
      throw fault('storage_full', { cause: error })
    throw error
  }
}

async function sweep(directory: string, beforeMs: number): Promise<number> {
  let removed = 0
  for (const account of await readdir(directory).catch(() => []))
    for (const name of await readdir(join(directory, account))) {
      const path = join(directory, account, name)
      const found = await stat(path).catch(() => undefined)
      if (!found || found.mtimeMs > beforeMs) continue
      await rm(path, { force: true })
      removed++
    }
  return removed
}
