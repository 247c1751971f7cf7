// Each boundary rule is shown to fire: a forbidden import is planted for each, in memory only, in one run over all of them.
import { spawnSync } from 'node:child_process'
import { appendFileSync, cpSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..')

/** file | a forbidden import | the rule that must answer */
const sabotages = [
  ['packages/platform/src/telemetry/logger.ts', '../config/index.ts', 'downstairs-only-telemetry-config'],
  ['packages/platform/src/data/sql.ts', '../jobs/index.ts', 'downstairs-only-connections-data'],
  ['packages/platform/src/connections/drivers/redis.ts', '../../limits/index.ts', 'downstairs-only-connections-data'],
  ['packages/platform/src/vault/cipher.ts', '../audit/index.ts', 'downstairs-only-vault'],
  ['packages/platform/src/limits/network.ts', '../audit/index.ts', 'downstairs-only-assets-audit-consent-flags-limits'],
  ['packages/platform/src/media/store.ts', '../jobs/index.ts', 'downstairs-only-jobs-media'],
  ['packages/platform/src/identity/tokens.ts', '../realtime/index.ts', 'downstairs-only-identity'],
  ['packages/platform/src/realtime/channel.ts', '../payments/index.ts', 'downstairs-only-realtime-privacy'],
  [
    'packages/platform/src/payments/ledger.ts',
    '../definition/index.ts',
    'downstairs-only-ai-graduation-payments-recovery',
  ],
  ['packages/platform/src/past/rules.ts', '../definition/index.ts', 'downstairs-only-past'],
  ['packages/platform/src/definition/route.ts', '../http/index.ts', 'downstairs-only-definition'],
  ['packages/platform/src/http/lifecycle.ts', '../boot/index.ts', 'downstairs-only-http'],
  ['packages/platform/src/http/headers.ts', '../telemetry/logger.ts', 'rooms-have-doors'],
  ['packages/core/src/assert.ts', 'node:fs', 'core-is-pure'],
  ['apps/cosnap/src/rates.ts', '@seaworthy/platform/boot', 'only-cli-and-testkit-boot'],
  ['apps/cosnap/src/faults.ts', '@seaworthy/ui', 'apps-use-platform-and-core'],
  ['apps/cosnap/web/paths.ts', '@seaworthy/platform/data', 'app-pages-talk-through-client'],
  ['web/src/apps.ts', '@seaworthy/platform/telemetry', 'web-talks-through-client'],
  ['packages/ui/src/button.tsx', '@seaworthy/cosnap/web', 'ui-is-below-pages'],
  ['packages/client/src/problem.ts', '@seaworthy/platform/definition', 'client-knows-types-only'],
  ['packages/proof/src/verdict.ts', '@seaworthy/platform/data', 'proof-knows-no-platform'],
  ['packages/ops/src/render/patches.ts', '@seaworthy/platform/data', 'ops-renders-definitions'],
  ['packages/ops/src/targets/env/env.ts', 'node:fs', 'targets-are-pure'],
  ['packages/journeys/src/cosnap.ts', '@seaworthy/platform/data', 'journeys-know-nobody'],
  ['packages/platform/src/jobs/queue.ts', '@seaworthy/testkit', 'testkit-is-for-tests'],
  ['packages/platform/src/data/drivers/pg.ts', '../database.ts', 'no-cycles'],
  ['packages/platform/src/jobs/worker.ts', 'pg', 'drivers-own-client-libraries'],
]

const cruise = (directory) =>
  spawnSync(
    process.execPath,
    [
      join(root, 'node_modules/dependency-cruiser/bin/dependency-cruise.mjs'),
      '-c',
      '.dependency-cruiser.cjs',
      '-T',
      'json',
      'packages',
      'apps',
      'web',
      'seaworthy.config.ts',
    ],
    { cwd: directory, encoding: 'utf8', maxBuffer: 1 << 28 },
  )

const clean = JSON.parse(cruise(root).stdout).summary
if (clean.totalCruised < 100) throw new Error(`only ${clean.totalCruised} modules were seen: the scan is blind`)
for (const { from, to, rule } of clean.violations) console.log(`${rule.name}: ${from} imports ${to}`)
if (clean.violations.length) process.exit(1)

const copy = mkdtempSync(join(tmpdir(), 'boundaries-'))
try {
  const wanted = (path) => !/(^|\/)(node_modules|dist|\.seaworthy)(\/|$)/.test(path.slice(root.length))
  for (const place of ['packages', 'apps', 'web'])
    cpSync(join(root, place), join(copy, place), { recursive: true, filter: wanted })
  for (const file of ['.dependency-cruiser.cjs', 'package.json', 'seaworthy.config.ts', 'tsconfig.base.json'])
    cpSync(join(root, file), join(copy, file))
  linkModules()
  for (const [file, target] of sabotages) appendFileSync(join(copy, file), `\nimport ${JSON.stringify(target)}\n`)
  const { violations } = JSON.parse(cruise(copy).stdout).summary
  const silent = sabotages.filter(
    ([file, , rule]) =>
      !violations.some((found) => found.rule.name === rule && (found.from === file || rule === 'no-cycles')),
  )
  for (const [file, target, rule] of silent)
    console.log(`the rule ${rule} did not answer to ${file} importing ${target}`)
  if (silent.length) process.exitCode = 1
  else
    console.log(
      `${clean.totalCruised} modules keep the boundaries; ${sabotages.length} of ${sabotages.length} planted violations were named`,
    )
} finally {
  rmSync(copy, { recursive: true, force: true })
}

/** The copy's workspace packages must be its own; everything else may be the checkout's. */
function linkModules() {
  const modules = join(copy, 'node_modules')
  spawnSync('mkdir', ['-p', join(modules, '@seaworthy')])
  const names = spawnSync('ls', ['-A', join(root, 'node_modules')], { encoding: 'utf8' })
    .stdout.split('\n')
    .filter((name) => name && name !== '@seaworthy')
  for (const name of names) symlinkSync(join(root, 'node_modules', name), join(modules, name))
  for (const name of ['core', 'platform', 'client', 'ui', 'testkit', 'cli', 'proof', 'journeys'])
    symlinkSync(join(copy, 'packages', name), join(modules, '@seaworthy', name))
  symlinkSync(join(copy, 'apps', 'cosnap'), join(modules, '@seaworthy', 'cosnap'))
}
