import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join, relative } from 'node:path'
import { atMost, defineClaim, exactly } from '../../claim.ts'
import { checkout, podman, tryPodman } from '../../rig/containers/engine.ts'
import { buildImage, renderTargets } from '../../rig/containers/images.ts'
import type { Rig } from '../../rig/rig.ts'
import { patch } from '../../sabotage.ts'

const tag = 'localhost/proof/seaworthy:measured'
const again = 'localhost/proof/seaworthy:again'
const oneStage = 'localhost/proof/seaworthy:one-stage'
const packagesOnly = 'localhost/proof/seaworthy:packages'
const dockerfile = 'packages/ops/src/targets/image/dockerfile.ts'

export const claim = defineClaim({
  id: 'CON-01',
  says: 'The image is at least 70 % smaller than one of a single stage from the same base, holds no package that only builds or tests, no sources, source maps, history, caches or shell; built again from nothing, its layers are the same to the last bit, and so is what it says of how to run it (podman writes random names of its own into the rest, so the id of the image differs)',
  answers: ['X1', 'T7', 'ASVS 15.2.3'],
  witness: 'podman builds it, its files are walked and compared with the lock file',
  needs: ['podman', 'runc', 'debootstrap'],
  tier: 'soak',
  seconds: 120,
  // Its images have names, which two runs would share.
  alone: true,
  limits: {
    'size of what one stage would be': atMost(30, '%'),
    'files that only build, test or explain': exactly(0, 'files'),
    'packages for development': exactly(0, 'packages'),
    'packages that nothing in it depends on': exactly(0, 'packages'),
    'shells and package managers': exactly(0, 'programs'),
    'layers that differ when it is built again': exactly(0, 'layers'),
    'settings that differ then': exactly(0, 'settings'),
  },
  experiment: async (rig) => {
    const rendered = await renderTargets(rig, 'image')
    // Kept, so that a build again installs no packages again.
    await buildImage(rendered, packagesOnly, { more: ['--target', 'packages'] })
    const single = await buildImage(rendered, oneStage, { more: ['--target', 'build'] })
    const first = await buildImage(rendered, tag)
    const files = await filesOf(rig, tag)
    const before = await sayingsOf(tag)
    const second = await buildImage(rendered, again, { more: ['--no-cache'] })
    const after = await sayingsOf(again)
    rig.defer(() => tryPodman('rmi', '--force', oneStage, again))
    const installed = manifestsOf(files)
    const names = files.map(({ path }) => path)
    const useless = names.filter((path) => uselessFile.test(path))
    const forDevelopment = installed.filter(({ place }) => isForDevelopment(place))
    const alone = unneeded(installed)
    const tools = names.filter((path) => tool.test(path))
    return {
      measured: {
        'size of what one stage would be': (first.bytes / single.bytes) * 100,
        'files that only build, test or explain': useless.length,
        'packages for development': forDevelopment.length,
        'packages that nothing in it depends on': alone.length,
        'shells and package managers': tools.length,
        'layers that differ when it is built again': countDiffering(before.layers, after.layers),
        'settings that differ then': countDiffering(before.settings, after.settings),
      },
      met: {
        'one stage holds what builds': single.bytes > 300_000_000,
        'the image holds the product and its packages': installed.length > 50 && names.includes('app/dist/build.json'),
        'it was built twice': second.id !== first.id && before.layers.length > 1 && before.settings.length > 5,
      },
      evidence: [
        `${megabytes(first.bytes)} of ${megabytes(single.bytes)}, ${installed.length} packages, ${names.length} files, ${first.id.slice(0, 19)}`,
        ...useless.slice(0, 3),
        ...forDevelopment.slice(0, 3).map(({ place }) => place),
        ...alone.slice(0, 3),
        ...tools.slice(0, 3),
      ],
    }
  },
  sabotages: [
    patch(
      'what built it stays in',
      dockerfile,
      '/contents\n\nFROM scratch',
      '/contents && cp -r /src /contents/src\n\nFROM scratch',
    ),
    patch('it is put on the base that builds', dockerfile, 'FROM scratch\n', 'FROM \\${NODE_IMAGE}\n'),
    patch(
      'a package for tests comes along',
      dockerfile,
      'node scripts/assemble.js /contents\n',
      'node scripts/assemble.js /contents && cp -r node_modules/vitest /contents/app/node_modules/vitest\n',
    ),
    patch(
      'it knows when it was built',
      dockerfile,
      'node scripts/assemble.js /contents\n',
      'node scripts/assemble.js /contents && date +%s%N > /contents/app/built\n',
    ),
  ],
})

/** What somebody gets who pulls it: its layers by their digests, and how it is run. */
async function sayingsOf(name: string): Promise<{ layers: readonly string[]; settings: readonly string[] }> {
  const [image] = JSON.parse(await podman('image', 'inspect', name)) as {
    Created: string
    Config: Readonly<Record<string, unknown>>
    Healthcheck?: unknown
    RootFS: { Layers: readonly string[] }
  }[]
  const settings = { Created: image?.Created, Healthcheck: image?.Healthcheck, ...image?.Config }
  return {
    layers: image?.RootFS.Layers ?? [],
    settings: Object.entries(settings).map(([field, value]) => `${field} ${JSON.stringify(value)}`),
  }
}

const countDiffering = (first: readonly string[], second: readonly string[]): number =>
  first.filter((one) => !second.includes(one)).length + Math.max(0, second.length - first.length)

const megabytes = (bytes: number): string => `${(bytes / 1_000_000).toFixed(0)} MB`
const uselessFile = /\.(ts|tsx|mts|cts|map|tsbuildinfo)$|\.test\.js$|(^|\/)(\.git|\.npm|_cacache|__tests__)(\/|$)/
const tool = /(^|\/)(ba|da|z|k)?sh$|(^|\/)(busybox|npm|npx|yarn|apt|apt-get|dpkg|corepack|curl|wget)$/

interface FoundFile {
  /** From the root of the image on. */
  readonly path: string
  readonly onDisk: string
}

/** Every file of an image, of the mounted layers. */
async function filesOf(rig: Rig, name: string): Promise<readonly FoundFile[]> {
  const root = await podman('image', 'mount', name)
  rig.defer(() => tryPodman('image', 'unmount', '--force', name))
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((onDisk) => ({ path: relative(root, onDisk), onDisk }))
}

interface InstalledPackage {
  /** As the lock file has it: `node_modules/pino`, `packages/core`. */
  readonly place: string
  readonly name: string
  readonly wants: readonly string[]
}

const manifest = /^app\/((?:packages|apps)\/[^/]+|(?:.*\/)?node_modules\/(?:@[^/]+\/)?[^/]+)\/package\.json$/

function manifestsOf(files: readonly FoundFile[]): readonly InstalledPackage[] {
  return files.flatMap(({ path, onDisk }) => {
    const place = manifest.exec(path)?.[1]
    if (!place || !existsSync(onDisk)) return []
    const { name, dependencies, optionalDependencies, peerDependencies, peerDependenciesMeta } = JSON.parse(
      readFileSync(onDisk, 'utf8'),
    ) as {
      name: string
      dependencies?: object
      optionalDependencies?: object
      peerDependencies?: object
      peerDependenciesMeta?: Readonly<Record<string, { optional?: boolean }>>
    }
    // An optional peer is somebody's tool.
    const peers = Object.keys(peerDependencies ?? {}).filter((peer) => !peerDependenciesMeta?.[peer]?.optional)
    return [{ place, name, wants: [...Object.keys({ ...dependencies, ...optionalDependencies }), ...peers] }]
  })
}

const lock = (): Record<string, { readonly dev?: boolean }> =>
  (
    JSON.parse(readFileSync(join(checkout, 'package-lock.json'), 'utf8')) as {
      packages: Record<string, { dev?: boolean }>
    }
  ).packages

/** Npm says so of those that only tools need; of ours these are for people who develop. */
const ours = ['packages/proof', 'packages/testkit', 'packages/ui', 'packages/client', 'bench', 'web']
const isForDevelopment = (place: string): boolean => lock()[place]?.dev === true || ours.includes(place)

function unneeded(installed: readonly InstalledPackage[]): readonly string[] {
  const wanted = new Set([...installed.flatMap(({ wants }) => wants), '@seaworthy/cli', 'kysely'])
  return installed.filter(({ place, name }) => !wanted.has(name) && !place.startsWith('apps/')).map(({ name }) => name)
}
