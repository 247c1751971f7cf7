import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, renameSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { MiB } from '@seaworthy/core'
import type { Binaries } from './binaries.ts'
import { asServerUser, whyNotAsRoot } from './run-as.ts'

export const ADMIN = 'seaworthy_admin'
const SPACE_MIN_BYTES = 200 * MiB

/** Makes the cluster's files at the first start. Locale and encoding do not depend on the machine. */
export function prepareCluster(binaries: Binaries, directory: string, password: string): void {
  if (existsSync(join(directory, 'PG_VERSION'))) return
  const refusal = whyNotAsRoot()
  if (refusal) throw new Error(refusal)
  const passwordFile = `${directory}.password`
  const draft = `${directory}.draft`
  writeFileSync(passwordFile, password, { mode: 0o600 })
  rmSync(draft, { recursive: true, force: true })
  try {
    // Under its name when it is complete: a start that is killed here leaves nothing that looks like a database.
    initialise(binaries, draft, passwordFile)
    renameSync(draft, directory)
  } finally {
    rmSync(passwordFile, { force: true })
  }
}

function initialise(binaries: Binaries, directory: string, passwordFile: string): void {
  const { command, args } = asServerUser(binaries.initdb, [
    '-D',
    directory,
    '-U',
    ADMIN,
    `--pwfile=${passwordFile}`,
    '--auth=scram-sha-256',
    '--encoding=UTF8',
    '--locale-provider=builtin',
    '--builtin-locale=C.UTF-8',
    '--data-checksums',
    '--wal-segsize=1',
  ])
  const made = spawnSync(command, args, { encoding: 'utf8', env: serverEnvironment() })
  if (made.status === 0) return
  rmSync(directory, { recursive: true, force: true })
  const words = `${made.stderr || made.error?.message}`.trim().split('\n').slice(-3).join(' ')
  throw new Error(
    `The database could not be made in ${directory}: ${words}\n    HINT: check space and permissions there, or set DATA_DIR to another place.`,
  )
}

/** The C locale of the environment reaches PostgreSQL's messages only; the cluster's own locale is built in. */
export const serverEnvironment = (): NodeJS.ProcessEnv => ({
  PATH: '/usr/sbin:/usr/bin:/sbin:/bin',
  LC_ALL: 'C',
  TZ: 'UTC',
})

/** Before anything is written for a first start. */
export function refuseFullDisk(directory: string): void {
  if (existsSync(join(directory, 'PG_VERSION'))) return
  const parent = join(directory, '..')
  mkdirSync(parent, { recursive: true })
  const { bavail, bsize } = statfsSync(parent)
  if (bavail * bsize >= SPACE_MIN_BYTES) return
  throw new Error(
    `There are only ${Math.round((bavail * bsize) / MiB)} MB free for ${parent}; the database needs ${SPACE_MIN_BYTES / MiB}.\n    HINT: make space, or set DATA_DIR to another disk.`,
  )
}
