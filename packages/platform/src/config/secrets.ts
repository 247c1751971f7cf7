import { randomBytes } from 'node:crypto'
import {
  chmodSync,
  closeSync,
  fsyncSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs'
import { join } from 'node:path'

const OWNER_ONLY = 0o600
const SECRET_BYTES = 32

/**
 * The secret of this name, made now if there is none. Written whole or not at all: the file appears under its
 * name by a hard link, so of two processes that start together both read the same one.
 */
export function readOrMakeSecret(directory: string, name: string): string {
  const path = join(directory, name)
  const existing = readSecretFile(path)
  if (existing !== undefined) return existing
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  chmodSync(directory, 0o700)
  const draft = draftOf(path)
  writeDurably(draft, randomBytes(SECRET_BYTES).toString('hex'))
  try {
    linkSync(draft, path)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error
  } finally {
    rmSync(draft, { force: true })
  }
  return readSecretFile(path) ?? readOrMakeSecret(directory, name)
}

/** A name of this call's own: in two containers that share the directory, process ids are the same. */
const draftOf = (path: string): string => `${path}.${randomBytes(6).toString('hex')}.draft`

/** True when others than the owner can read the file: it is then no secret any more. */
export function isReadableByOthers(path: string): boolean {
  try {
    return process.platform !== 'win32' && (statSync(path).mode & 0o077) !== 0
  } catch {
    return false
  }
}

/** Puts another value in the place of a kept secret: whoever reads the file gets the one or the other, never a part. */
export function replaceSecret(directory: string, name: string, value: string): void {
  mkdirSync(directory, { recursive: true, mode: 0o700 })
  const path = join(directory, name)
  const draft = draftOf(path)
  writeDurably(draft, value)
  renameSync(draft, path)
  const folder = openSync(directory, 'r')
  try {
    fsyncSync(folder)
  } finally {
    closeSync(folder)
  }
}

/** The kept secret of this name, or undefined when there is none. */
export function readSecretFile(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim() || undefined
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined
    throw error
  }
}

function writeDurably(path: string, content: string): void {
  const file = openSync(path, 'wx', OWNER_ONLY)
  try {
    writeSync(file, `${content}\n`)
    fsyncSync(file)
  } finally {
    closeSync(file)
  }
}
