import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Config } from '../config/index.ts'

/** Small files of a data directory that belong to a recovery point, by their paths in it. */
export type KeptFiles = ReadonlyMap<string, Buffer>

/** Other rooms keep there what must not be in the database. */
const FOLDERS = ['audit', 'tls', 'privacy'] as const
/** The keys of the ring come from the recovery kit, and from nowhere else: a store alone opens nothing. */
const KIT_ONLY = new Set(['ENCRYPTION_KEY', 'ENCRYPTION_KEYS_OLD'])
/** Where the database runs: what is restored has its own, and must not write to that one. */
const HERE_ONLY = new Set(['DATABASE_URL', 'DATABASE_CA'])

const NAMES: Readonly<Record<string, string>> = {
  databaseRoleSecret: 'DATABASE_ROLE_SECRET',
  accessSecret: 'JWT_ACCESS_SECRET',
  refreshSecret: 'JWT_REFRESH_SECRET',
  mediaSecret: 'MEDIA_URL_SECRET',
  auditSecret: 'AUDIT_SECRET',
}

/** Secrets, also those that a setting gives, and what other rooms keep in files. */
export async function collectFiles(config: Config): Promise<KeptFiles> {
  const files = new Map<string, Buffer>()
  for (const folder of [...FOLDERS, 'secrets'] as const) await collect(config.dataDirectory, folder, files)
  for (const name of [...KIT_ONLY, ...HERE_ONLY]) files.delete(join('secrets', name))
  for (const [key, name] of Object.entries(NAMES)) {
    const secret = config.secrets[key as keyof Config['secrets']]
    files.set(join('secrets', name), Buffer.from(`${secret.reveal()}\n`))
  }
  return files
}

async function collect(root: string, folder: string, files: Map<string, Buffer>): Promise<void> {
  const entries = await readdir(join(root, folder), { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT') return []
    throw error
  })
  for (const entry of entries) {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) await collect(root, path, files)
    else if (entry.isFile() && !entry.name.includes('draft'))
      files.set(path, await readFile(join(root, path)).catch(() => Buffer.alloc(0)))
  }
}

export const packFiles = (files: KeptFiles): Buffer =>
  Buffer.from(JSON.stringify([...files].map(([path, bytes]) => [path, bytes.toString('base64')])))

export const unpackFiles = (bytes: Buffer): KeptFiles =>
  new Map(
    (JSON.parse(bytes.toString()) as [string, string][]).map(([path, text]) => [path, Buffer.from(text, 'base64')]),
  )

export async function placeFiles(directory: string, files: KeptFiles): Promise<void> {
  for (const [path, bytes] of files) {
    const target = join(directory, path)
    await mkdir(dirname(target), { recursive: true, mode: 0o700 })
    await writeFile(`${target}.draft`, bytes, { mode: 0o600, flush: true })
    await rename(`${target}.draft`, target)
  }
}
