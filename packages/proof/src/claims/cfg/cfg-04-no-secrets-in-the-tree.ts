import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
import { podman } from '../../rig/containers/engine.ts'
import { keepImage, renderTargets } from '../../rig/containers/images.ts'
import { unpackImage } from '../../rig/containers/layers.ts'
import type { Rig } from '../../rig/rig.ts'
import { filesBelow, git, scanFiles, scanHistory, trackedFiles } from '../../rig/secrets.ts'
import { patch } from '../../sabotage.ts'

/** Of the checkout that is judged; from `packages/proof/dist/claims/cfg`. */
const root = join(import.meta.dirname, '..', '..', '..', '..', '..')
/** Where an operator's secrets are. */
const secretPlaces = ['.env', '.seaworthy/secrets/JWT_ACCESS_SECRET']
/** Split, so that this file is not itself a finding. */
const stripe = ['sk', 'live', 'pR7vNc2KqXw9TzLb4HdYs8Gm'].join('_')
const aws = ['AKIA', 'QX7ZP3MNV5WKD2RT'].join('')
const image = 'localhost/proof/scanned:secrets'

export const claim = defineClaim({
  id: 'CFG-04',
  says: 'No secret is in the tracked files, in the history of any branch, in what is built and delivered, in the files that are rendered to deploy it, or in any layer of the image',
  answers: ['C4', 'ASVS 13.3.1', 'ASVS 13.4.1', 'ASVS 15.2.3'],
  witness: 'git, podman, and the forms of keys that providers publish',
  needs: ['git', 'podman', 'runc', 'debootstrap'],
  tier: 'full',
  seconds: 60,
  limits: {
    'secrets in tracked files': exactly(0, 'findings'),
    'secrets in the history': exactly(0, 'findings'),
    'secrets in what is delivered': exactly(0, 'findings'),
    'secrets in rendered files': exactly(0, 'findings'),
    'secrets in layers of the image': exactly(0, 'findings'),
    'places of secrets that git would take': exactly(0, 'places'),
  },
  experiment: async (rig) => {
    const program = rig.program('git')
    const tracked = trackedFiles(program, root)
    const inFiles = scanFiles(root, tracked)
    const history = scanHistory(program, root)
    const delivered = filesBelow(rig.product)
    const inProduct = scanFiles(rig.product, delivered)
    const rendered = await renderTargets(rig)
    const inRendered = scanFiles(rendered, filesBelow(rendered))
    await keepImage(rendered, image)
    const { folder, files, layers } = await unpackImage(rig, image)
    const inLayers = scanFiles(folder, files)
    const inPlanted = await scanPlantedLayers(rig)
    const taken = secretPlaces.filter((path) => !isIgnored(program, path))
    const control = plantKeys(rig, program)
    return {
      measured: {
        'secrets in tracked files': inFiles.length,
        'secrets in the history': history.found.length,
        'secrets in what is delivered': inProduct.length,
        'secrets in rendered files': inRendered.length,
        'secrets in layers of the image': inLayers.length,
        'places of secrets that git would take': taken.length,
      },
      met: {
        'a planted key is found in a tracked file': control.inFiles === 1,
        'a planted key is found in the history, though it was removed': control.inHistory === 4,
        'a planted key is found in a layer, though the next one took it away': inPlanted === 1,
        'the layers of the image were read': layers > 1 && files.length > 1_000,
        'files, history and product were read': tracked.length > 100 && history.commits > 1 && delivered.length > 100,
      },
      evidence: [
        `${tracked.length} tracked files, ${history.commits} commits, ${delivered.length} files delivered, ${files.length} files in ${layers} layers`,
        ...[...inFiles, ...history.found, ...inProduct, ...inRendered, ...inLayers]
          .slice(0, 10)
          .map(({ where, form }) => `${form} in ${where}`),
      ],
    }
  },
  sabotages: [
    patch(
      'a key is written into the program',
      'packages/platform/src/http/headers.ts',
      'export const asBlock =',
      `export const paymentKey = '${stripe}'\nexport const asBlock =`,
    ),
    patch(
      'a key is sent to every browser',
      'web/dist/index.html',
      '<div id="root">',
      `<meta name="storage" content="${aws}"><div id="root">`,
    ),
    patch(
      'a key is in one layer of the image and taken away by the next',
      'packages/ops/src/targets/image/dockerfile.ts',
      'FROM scratch\n',
      `FROM contents AS leak\nRUN mkdir /one /two && echo key=${aws} > /one/npmrc && : > /two/npmrc\n\nFROM scratch\nCOPY --from=leak /one /etc/\nCOPY --from=leak /two /etc/\n`,
    ),
    patch(
      'a key is rendered into the settings of pods',
      'packages/ops/src/targets/kubernetes/settings.ts',
      'data: Object.fromEntries(commonTo(',
      `data: ((all) => ({ ...Object.fromEntries(all), STORAGE_KEY: '${aws}' }))(commonTo(`,
    ),
  ],
})

function isIgnored(program: string, path: string): boolean {
  try {
    git(program, root, 'check-ignore', '-q', path)
    return true
  } catch {
    return false
  }
}

/** A repository of its own with one key in a file, and two that were committed and removed again: seen twice each. */
function plantKeys(rig: Rig, program: string): { readonly inFiles: number; readonly inHistory: number } {
  const planted = join(rig.scratch, 'planted')
  mkdirSync(planted)
  const run = (...args: readonly string[]) =>
    git(program, planted, '-c', 'user.name=prove', '-c', 'user.email=prove@localhost', ...args)
  const commit = () => {
    run('add', '--all')
    run('commit', '--quiet', '--no-verify', '--no-gpg-sign', '-m', 'x')
  }
  run('init', '--quiet')
  writeFileSync(join(planted, 'removed.ts'), `const key = '${stripe}'\nconst other = '${aws}'\n`)
  commit()
  rmSync(join(planted, 'removed.ts'))
  writeFileSync(join(planted, 'kept.ts'), `const key = '${aws}'\n`)
  commit()
  const inFiles = scanFiles(planted, trackedFiles(program, planted)).length
  return { inFiles, inHistory: scanHistory(program, planted).found.length - inFiles }
}

/** An image of its own: a key in one layer, the same file without it in the next. */
async function scanPlantedLayers(rig: Rig): Promise<number> {
  const context = join(rig.scratch, 'planted-image')
  mkdirSync(context)
  writeFileSync(join(context, 'with'), `key=${aws}\n`)
  writeFileSync(join(context, 'without'), '')
  writeFileSync(join(context, 'Dockerfile'), 'FROM scratch\nCOPY with /npmrc\nCOPY without /npmrc\n')
  const name = `localhost/proof/planted:${Date.now()}`
  // Not from a cache, whose layers another run may be taking away.
  await podman('build', '--quiet', '--layers', '--no-cache', '--tag', name, context)
  rig.defer(() => podman('rmi', '--force', name))
  const { folder, files } = await unpackImage(rig, name, 'planted-layers')
  return scanFiles(folder, files).length
}
