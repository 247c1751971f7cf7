import { createHash } from 'node:crypto'
import {
  constants,
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { type Layout, releasePath } from './layout.ts'
import type { ReleaseRecord } from './state.ts'
import { readIfThere } from './write-file.ts'

/** What runs: compiled files, migrations, pages. No sources. */
const parts = ['dist', 'web/dist', 'package.json', 'web/package.json']
const packageParts = ['dist', 'migrations', 'queue', 'bin', 'package.json']
const INSTALLED = join('node_modules', '.package-lock.json')

/** What is built in this checkout: its commit, and a hash of everything that would run. */
export function identifyRelease(source: string): Omit<ReleaseRecord, 'copiedAt'> {
  const stamp = readIfThere(join(source, 'dist', 'build.json'))
  if (stamp === undefined) throw new Error(`Nothing is built in ${source}.\n    HINT: npm ci && npm run build`)
  const { commit, version } = JSON.parse(stamp) as { commit: string; version: string }
  const hash = createHash('sha256')
  for (const part of [...builtParts(source), INSTALLED])
    for (const file of filesBelow(join(source, part)))
      hash.update(relative(source, file)).update('\0').update(readFileSync(file)).update('\0')
  const name = /^[0-9a-f]{7,40}$/.test(commit) ? commit.slice(0, 12) : 'local'
  return { id: `${name}-${hash.digest('hex').slice(0, 8)}`, commit, version }
}

/** Copies what runs; installed packages are linked, which takes no space. It is there whole or not at all. */
export function copyRelease(layout: Layout, source: string, id: string): void {
  const target = releasePath(layout, id)
  if (existsSync(target)) return
  const draft = join(layout.releases, `.draft-${id}`)
  rmSync(draft, { recursive: true, force: true })
  mkdirSync(draft, { recursive: true })
  // A link would not do: the next build may write into the same file. Where the file system can, no byte is copied.
  const how = { recursive: true, mode: constants.COPYFILE_FICLONE }
  for (const part of builtParts(source)) cpSync(join(source, part), join(draft, part), how)
  linkModules(realpathSync(source), join(source, 'node_modules'), join(draft, 'node_modules'))
  renameSync(draft, target)
}

export const removeRelease = (layout: Layout, id: string): void =>
  rmSync(releasePath(layout, id), { recursive: true, force: true, maxRetries: 3 })

function builtParts(source: string): string[] {
  const own = ['packages', 'apps'].flatMap((group) =>
    existsSync(join(source, group))
      ? readdirSync(join(source, group))
          .filter((name) => existsSync(join(source, group, name, 'dist')))
          .flatMap((name) => packageParts.map((part) => join(group, name, part)))
      : [],
  )
  return [...parts, ...own].filter((part) => existsSync(join(source, part)))
}

function filesBelow(path: string): string[] {
  if (!existsSync(path)) return []
  if (!lstatSync(path).isDirectory()) return [path]
  return readdirSync(path)
    .sort()
    .flatMap((name) => filesBelow(join(path, name)))
}

/** Without the packages that only build and test, as npm wrote them down when it installed. */
function linkModules(root: string, from: string, to: string): void {
  const written = readIfThere(join(root, INSTALLED))
  const { packages = {} } = (written ? JSON.parse(written) : {}) as { packages?: Record<string, { dev?: boolean }> }
  linkFolder(from, to, (path) => packages[relative(root, path).split(sep).join('/')]?.dev !== true, root)
}

function linkFolder(from: string, to: string, isWanted: (path: string) => boolean, root: string): void {
  mkdirSync(to, { recursive: true })
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)]
    if (entry.isSymbolicLink()) linkLink(root, source, target)
    else if (entry.isDirectory()) {
      if (isWanted(source)) linkFolder(source, target, isWanted, root)
    } else linkFile(source, target)
  }
}

/** Our own packages are those of the release; what lies outside of the checkout stays where it is. */
function linkLink(root: string, source: string, target: string): void {
  const folder = realpathSync(dirname(source))
  const leadsTo = resolve(folder, readlinkSync(source))
  symlinkSync(relative(root, leadsTo).startsWith('..') ? leadsTo : relative(folder, leadsTo), target)
}

function linkFile(source: string, target: string): void {
  try {
    linkSync(source, target)
  } catch (error) {
    // Another file system, or files of somebody else.
    if (!['EXDEV', 'EPERM', 'EMLINK'].includes((error as NodeJS.ErrnoException).code ?? '')) throw error
    copyFileSync(source, target)
  }
}
