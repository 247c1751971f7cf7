// Builds everything when the hash of the sources has changed: TypeScript to dist/, the web app to web/dist/.
import { spawn, spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { brotliCompress, constants, gzip } from 'node:zlib'

const root = join(dirname(fileURLToPath(import.meta.url)), '..')
const stamp = join(root, 'dist', 'build.json')
const places = [
  'packages',
  'apps',
  'web',
  'seaworthy.config.ts',
  'tsconfig.base.json',
  'tsconfig.build.json',
  'package-lock.json',
  'scripts/build.js',
  'scripts/prerender.js',
]
const skipped = new Set(['node_modules', 'dist', '.seaworthy', 'coverage'])

/** Resolves at once when what is built is what is there. Two at once: one builds, the other waits and takes what was built. */
export async function ensureBuilt({ force = false, say = () => undefined } = {}) {
  const built = readStamp()
  if (!force && built?.sources === hashSources()) return
  if (!existsSync(join(root, 'node_modules', '@typescript', 'native'))) {
    if (built) return // An image carries what was built and not what builds.
    throw new Error('The build tools are not installed.\n    HINT: npm ci')
  }
  const { oneAtATime } = await import('./build-lock.js')
  const tell = () => say('Another command builds here: waiting for it.')
  await oneAtATime(root, () => buildUnlessBuilt(force, say), tell)
}

async function buildUnlessBuilt(force, say) {
  const sources = hashSources()
  if (!force && readStamp()?.sources === sources) return
  const started = performance.now()
  say('Building ...')
  // Until it is all there, nobody takes a part of it for the whole.
  rmSync(stamp, { force: true })
  await Promise.all([compile(), bundle(say)])
  mkdirSync(dirname(stamp), { recursive: true })
  writeFileSync(
    stamp,
    `${JSON.stringify({ version: JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')).version, commit: commit(), sources }, null, 2)}\n`,
  )
  say(`Built in ${((performance.now() - started) / 1000).toFixed(1)} s.`)
}

function hashSources() {
  const hash = createHash('sha256')
  for (const place of places)
    for (const file of filesBelow(join(root, place)))
      hash.update(relative(root, file)).update('\0').update(readFileSync(file)).update('\0')
  return hash.digest('hex').slice(0, 16)
}

function filesBelow(path) {
  if (!existsSync(path)) return []
  const entries = readdirOrFile(path)
  if (!entries) return [path]
  return entries
    .filter((entry) => !skipped.has(entry.name))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) =>
      entry.isDirectory() ? filesBelow(join(path, entry.name)) : isSource(entry.name) ? [join(path, entry.name)] : [],
    )
}

function readdirOrFile(path) {
  try {
    return readdirSync(path, { withFileTypes: true })
  } catch {
    return undefined
  }
}

const isSource = (name) =>
  /\.(ts|tsx|js|css|html|svg|json|woff2|avif|webp|ico)$/.test(name) && !/\.test\.tsx?$/.test(name)

const compile = () =>
  run(process.execPath, [
    join(root, 'node_modules', '@typescript', 'native', 'bin', 'tsc'),
    '-b',
    'tsconfig.build.json',
  ])

async function bundle(say) {
  if (!existsSync(join(root, 'web', 'index.html'))) return
  rmSync(join(root, 'web', 'dist'), { recursive: true, force: true })
  await vite()
  await vite('--ssr', 'src/prerender.tsx', '--outDir', 'dist/.prerender')
  await run(process.execPath, [join(root, 'scripts', 'prerender.js')])
  const files = filesBelow(join(root, 'web', 'dist')).filter((file) => /\.(js|css|svg|json)$/.test(file))
  await Promise.all(files.map(compress))
  say(`Web: ${files.length} files.`)
}

const vite = (...options) =>
  run(process.execPath, [
    join(root, 'node_modules', 'vite', 'bin', 'vite.js'),
    'build',
    '--logLevel',
    'warn',
    ...options,
    join(root, 'web'),
  ])

/** Beside each text file its compressed forms, so that nothing is compressed while people wait. */
async function compress(file) {
  const bytes = readFileSync(file)
  writeFileSync(
    `${file}.br`,
    await promisify(brotliCompress)(bytes, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }),
  )
  writeFileSync(`${file}.gz`, await promisify(gzip)(bytes, { level: 9 }))
}

function run(command, args) {
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      cwd: root,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production' },
    })
    let output = ''
    for (const stream of [child.stdout, child.stderr])
      stream.on('data', (chunk) => {
        output += chunk
      })
    child.once('error', reject)
    child.once('exit', (code) => (code === 0 ? resolve() : reject(new Error(output.trim()))))
  })
}

function readStamp() {
  try {
    return JSON.parse(readFileSync(stamp, 'utf8'))
  } catch {
    return undefined
  }
}

/** The first twelve digits. Where an image is built there is no history: whoever builds it says the commit. */
function commit() {
  if (process.env.SOURCE_COMMIT) return process.env.SOURCE_COMMIT.slice(0, 12)
  const asked = spawnSync('git', ['rev-parse', '--short=12', 'HEAD'], { cwd: root, encoding: 'utf8' })
  return asked.status === 0 ? asked.stdout.trim() : 'unknown'
}
