import { createHash } from 'node:crypto'
import { mkdir, open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Manifest } from './manifest.ts'
import { readTar, type TarEntry } from './tar.ts'

/** Not in the manifest: it has checksums of its own, and is written while the rest is read. */
const isUnlisted = (path: string): boolean => path.startsWith('pg_wal/')

export interface BaseFiles {
  readonly files: number
  readonly bytes: number
}

/**
 * Reads a base backup to its end and compares every file with the manifest; with `directory`, writes it there. Throws with
 * the name of the first file that differs, and what is missing. What is written is not synced: PostgreSQL does that itself
 * with a whole copy of a running server before it replays anything over it.
 */
export async function readBase(
  archive: AsyncIterable<Buffer>,
  manifest: Manifest,
  { directory, onBytes }: { readonly directory?: string | undefined; readonly onBytes?: (bytes: number) => void } = {},
): Promise<BaseFiles> {
  const seen = new Set<string>()
  let [files, bytes] = [0, 0]
  for await (const entry of readTar(archive)) {
    if (entry.kind === 'directory') {
      if (directory) await mkdir(join(directory, entry.path), { recursive: true, mode: 0o700 })
      continue
    }
    const sha256 = await readEntry(entry, directory, onBytes)
    files++
    bytes += entry.bytes
    if (isUnlisted(entry.path)) continue
    compare(manifest, entry, sha256)
    seen.add(entry.path)
  }
  const missing = [...manifest.files.keys()].find((path) => !seen.has(path) && !isUnlisted(path))
  if (missing) throw new Error(`${missing} is missing in the base`)
  return { files, bytes }
}

function compare(manifest: Manifest, entry: TarEntry, sha256: string): void {
  const expected = manifest.files.get(entry.path)
  if (!expected) throw new Error(`the base has ${entry.path}, which is not in its manifest`)
  if (expected.bytes !== entry.bytes || expected.sha256 !== sha256)
    throw new Error(`${entry.path} of the base is damaged: it is not what its manifest says`)
}

async function readEntry(
  entry: TarEntry,
  directory: string | undefined,
  onBytes: ((bytes: number) => void) | undefined,
): Promise<string> {
  const hash = createHash('sha256')
  const path = directory && join(directory, entry.path)
  if (path) await mkdir(dirname(path), { recursive: true, mode: 0o700 })
  const file = path ? await open(path, 'wx', 0o600) : undefined
  try {
    for await (const chunk of entry.content()) {
      hash.update(chunk)
      await file?.write(chunk)
      onBytes?.(chunk.length)
    }
  } finally {
    await file?.close()
  }
  return hash.digest('hex')
}
