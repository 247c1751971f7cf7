// Writes the files that are made from the definitions: .env.example and the table of settings in the README.
// With --check it writes nothing and fails when a file is not what it would write.
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { renderEnvExample, renderSettingsTable } from '@seaworthy/platform/config'

const begin = '<!-- settings: made by `npm run generate` -->'
const end = '<!-- end of settings -->'

function renderReadme(): string {
  const text = readFileSync('README.md', 'utf8')
  const [before, rest = ''] = text.split(begin)
  const after = rest.split(end)[1]
  if (after === undefined) throw new Error('README.md lost the marks of its settings table')
  return `${before}${begin}\n\n${renderSettingsTable()}\n\n${end}${after}`
}

const files = { '.env.example': renderEnvExample(), 'README.md': renderReadme() }
const stale = Object.entries(files).filter(([name, text]) => !existsSync(name) || readFileSync(name, 'utf8') !== text)
if (process.argv.includes('--check')) {
  for (const [name] of stale) console.log(`${name} is stale: run npm run generate`)
  if (stale.length) process.exit(1)
  console.log(`${Object.keys(files).length} generated files are up to date`)
} else {
  for (const [name, text] of stale) writeFileSync(name, text)
  console.log(stale.length ? `written: ${stale.map(([name]) => name).join(', ')}` : 'nothing to write')
}
