import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Rig } from './rig.ts'
import { runIn } from './scan-tools.ts'

interface LockedPackage {
  name?: string
  version?: string
  license?: string
  resolved?: string
  integrity?: string
  hasInstallScript?: true
  dev?: true
  link?: true
}
interface LockFile {
  readonly packages: Record<string, LockedPackage>
}
interface Bill {
  readonly components: readonly { readonly group?: string; readonly name: string; readonly version: string }[]
}

const readLock = (directory: string): LockFile =>
  JSON.parse(readFileSync(join(directory, 'package-lock.json'), 'utf8')) as LockFile

const nameAt = (place: string): string => place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)

/** `name@version` of all that is delivered and not ours, as the lock file has it. */
export const deliveredOf = (directory: string): ReadonlySet<string> =>
  new Set(
    Object.entries(readLock(directory).packages)
      .filter(([place, entry]) => place.includes('node_modules/') && !entry.link && !entry.dev)
      .map(([place, { name, version }]) => `${name ?? nameAt(place)}@${version}`),
  )

/** The same of a bill of materials, without what is ours. */
export const billedIn = (file: string): ReadonlySet<string> =>
  new Set(
    (JSON.parse(readFileSync(file, 'utf8')) as Bill).components
      .map(({ group, name, version }) => `${group ? `${group}/` : ''}${name}@${version}`)
      .filter((name) => !name.startsWith('@seaworthy/')),
  )

/** A folder with nothing but the lock file and the manifests that it was made from: what a judge of the lock file reads. */
export function onlyManifests(rig: Rig): string {
  const directory = join(rig.scratch, 'manifests')
  const lock = readFileSync(join(rig.product, 'package-lock.json'), 'utf8')
  for (const [place, manifest] of Object.entries((JSON.parse(lock) as LockFile).packages)) {
    if (place.includes('node_modules/')) continue
    mkdirSync(join(directory, place), { recursive: true })
    writeFileSync(join(directory, place, 'package.json'), JSON.stringify(manifest))
  }
  writeFileSync(join(directory, 'package-lock.json'), lock)
  return directory
}

/** How a lock file may be spoiled; each must be refused. */
const faults: Readonly<Record<string, (entry: LockedPackage) => void>> = {
  'a licence that is refused': (entry) => {
    entry.license = 'GPL-3.0-only'
  },
  'no hash': (entry) => {
    delete entry.integrity
  },
  'from elsewhere': (entry) => {
    entry.resolved = 'https://packages.example.com/a.tgz'
  },
  'a script that runs at the installation': (entry) => {
    entry.hasInstallScript = true
  },
}

/** Which faults the checks of the product let pass, each planted alone into one package of a copied lock file. */
export async function unnoticedFaults(rig: Rig): Promise<readonly string[]> {
  const unnoticed = []
  for (const [name, spoil] of Object.entries(faults)) {
    const directory = join(rig.scratch, name.replaceAll(' ', '-'))
    mkdirSync(directory)
    const lock = readLock(rig.product)
    const entry = lock.packages['node_modules/pg']
    if (!entry) throw new Error('the lock file has no node_modules/pg to spoil')
    spoil(entry)
    writeFileSync(join(directory, 'package-lock.json'), JSON.stringify(lock))
    for (const file of ['package.json', 'licences.json'])
      writeFileSync(join(directory, file), readFileSync(join(rig.product, file)))
    const checks = ['lockfile.js', 'licences.js'].map((script) => join(rig.product, 'scripts', 'check', script))
    const codes = await Promise.all(
      checks.map(async (script) => (await runIn(directory, process.execPath, script)).code),
    )
    if (codes.every((code) => code === 0)) unnoticed.push(name)
  }
  return unnoticed
}
