// No migration blocks or breaks the release that runs while it is applied, or it says why it may.
import { existsSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { lintMigration, platformMigrations, readMigrations } from '@seaworthy/platform/data'

/** Files that cannot say it themselves any more, because they may not change. */
const excuses: readonly { readonly where: RegExp; readonly rules: readonly string[]; readonly reason: string }[] = [
  {
    where: /^platform\/00[01]\d-/,
    rules: ['index-lock', 'constraint-scan', 'not-null', 'backfill'],
    reason: 'written before the first release: no installation that people use has rows in these tables',
  },
]

const appSources = readdirSync('apps')
  .map((app) => ({ app, directory: pathToFileURL(`${join('apps', app, 'migrations')}/`) }))
  .filter(({ directory }) => existsSync(directory))
const migrations = [platformMigrations, ...appSources].flatMap(readMigrations)
const findings = migrations.flatMap(lintMigration)
const isExcused = (finding: (typeof findings)[number]): boolean =>
  excuses.some(({ where, rules }) => where.test(finding.where) && rules.includes(finding.rule))
const open = findings.filter((finding) => !isExcused(finding))
const idle = excuses.filter(
  (excuse) => !findings.some(({ where, rule }) => excuse.where.test(where) && excuse.rules.includes(rule)),
)
for (const { where, rule, says } of open) console.log(`${where} ${rule}: ${says}`)
for (const { where } of idle) console.log(`an excuse that nothing needs: ${where}`)
if (open.length || idle.length) process.exit(1)
console.log(`${migrations.length} migrations can be applied while the previous release runs`)
