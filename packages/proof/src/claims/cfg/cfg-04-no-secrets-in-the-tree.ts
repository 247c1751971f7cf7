import { mkdirSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { defineClaim, exactly } from '../../claim.ts'
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

export const claim = defineClaim({
  id: 'CFG-04',
  says: 'No secret is in the tracked files, in the history of any branch, or in what is built and delivered',
  answers: ['C4', 'ASVS 13.3.1', 'ASVS 13.4.1', 'ASVS 15.2.3'],
  witness: 'git, and the forms of keys that providers publish',
  needs: ['git'],
  tier: 'full',
  seconds: 8,
  limits: {
    'secrets in tracked files': exactly(0, 'findings'),
    'secrets in the history': exactly(0, 'findings'),
    'secrets in what is delivered': exactly(0, 'findings'),
    'places of secrets that git would take': exactly(0, 'places'),
  },
  experiment: async (rig) => {
    const program = rig.program('git')
    const tracked = trackedFiles(program, root)
    const inFiles = scanFiles(root, tracked)
    const history = scanHistory(program, root)
    const delivered = filesBelow(rig.product)
    const inProduct = scanFiles(rig.product, delivered)
    const taken = secretPlaces.filter((path) => !isIgnored(program, path))
    const control = plantKeys(rig, program)
    return {
      measured: {
        'secrets in tracked files': inFiles.length,
        'secrets in the history': history.found.length,
        'secrets in what is delivered': inProduct.length,
        'places of secrets that git would take': taken.length,
      },
      met: {
        'a planted key is found in a tracked file': control.inFiles === 1,
        'a planted key is found in the history, though it was removed': control.inHistory === 4,
        'files, history and product were read': tracked.length > 100 && history.commits > 1 && delivered.length > 100,
      },
      evidence: [
        `${tracked.length} tracked files, ${history.commits} commits, ${delivered.length} files delivered`,
        ...[...inFiles, ...history.found, ...inProduct].slice(0, 10).map(({ where, form }) => `${form} in ${where}`),
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
