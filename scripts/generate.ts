// Writes what is made from definitions: .env.example, the README's table of settings, the claim in docs/proofs.md, the
// policy in docs/recovery.md.
// With --check it writes nothing and fails when a file is not what it would write.
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import { describe, describeRunbooks, renderFiles, runbooks, targets } from '@seaworthy/ops'
import { renderEnvExample, renderSettingsTable } from '@seaworthy/platform/config'
import { policyOf } from '@seaworthy/platform/recovery'

import { system } from '../seaworthy.config.ts'

const exampleClaim = 'packages/proof/src/claims/net/net-04-foreign-origins.ts'

/** The text of `file` with everything between the two marks of `name` replaced. */
function renderBetween(file: string, name: string, content: string): string {
  const [begin, end] = [`<!-- ${name}: made by \`npm run generate\` -->`, `<!-- end of ${name} -->`]
  const [before, rest = ''] = readFileSync(file, 'utf8').split(begin)
  const after = rest.split(end)[1]
  if (after === undefined) throw new Error(`${file} lost the marks of its ${name}`)
  return `${before}${begin}\n\n${content}\n\n${end}${after}`
}

const { version } = JSON.parse(readFileSync('package.json', 'utf8')) as { version: string }
const targetFiles = renderFiles(targets, describe(system, version), '.').map(({ path, text }) => [path, text] as const)

const account = 'arn:aws:iam::111122223333:user'
const policy = policyOf({
  bucket: 'backups',
  prefix: 'boats',
  principals: { running: `${account}/seaworthy-running`, keeping: `${account}/seaworthy-keeping` },
})

const files: Readonly<Record<string, string>> = {
  ...Object.fromEntries(targetFiles),
  '.env.example': renderEnvExample(),
  'README.md': renderBetween('README.md', 'settings', renderSettingsTable()),
  'docs/runbooks.md': renderBetween('docs/runbooks.md', 'runbooks', describeRunbooks(runbooks).trimEnd()),
  'docs/recovery.md': renderBetween(
    'docs/recovery.md',
    'policy',
    `\`\`\`json\n${JSON.stringify(policy, undefined, 2)}\n\`\`\``,
  ),
  'docs/proofs.md': renderBetween(
    'docs/proofs.md',
    'claim',
    `\`\`\`ts\n${readFileSync(exampleClaim, 'utf8').trim()}\n\`\`\``,
  ),
}
const stale = Object.entries(files).filter(([name, text]) => !existsSync(name) || readFileSync(name, 'utf8') !== text)
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.log(`${name} is stale: run npm run generate`)
  if (stale.length) process.exit(1)
  console.log(`${Object.keys(files).length} generated files are up to date`)
} else {
  for (const [name, text] of stale) {
    mkdirSync(dirname(name), { recursive: true })
    writeFileSync(name, text)
  }
  console.log(stale.length ? `written: ${stale.map(([name]) => name).join(', ')}` : 'nothing to write')
}
