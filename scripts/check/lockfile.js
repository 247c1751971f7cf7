// The lock file says all that is installed, where it is from, and the hash of it. Every optional package that it names must be
// in it: npm leaves out what a registry lacks, and `npm ci` then fails on other platforms.
import { readFileSync } from 'node:fs'

const registry = 'https://registry.npmjs.org/'
const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const { allowScripts = {} } = JSON.parse(readFileSync('package.json', 'utf8'))
const wrong = []
for (const [place, entry] of Object.entries(packages)) {
  for (const name of Object.keys(entry.optionalDependencies ?? {}))
    if (!isLocked(place, name)) wrong.push(`missing: ${name} of ${place || 'the root'}`)
  if (entry.link || !place.includes('node_modules/')) continue
  const name = place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
  if (!entry.integrity?.startsWith('sha512-')) wrong.push(`without a SHA-512: ${name}`)
  if (entry.resolved && !entry.resolved.startsWith(registry)) wrong.push(`not from ${registry}: ${name}`)
  if (entry.hasInstallScript && allowScripts[name] !== true)
    wrong.push(`runs a script when it is installed, and allowScripts of package.json does not name it: ${name}`)
}
for (const line of wrong) console.log(`package-lock.json: ${line}`)
if (wrong.length) process.exit(1)
console.log(`${Object.keys(packages).length} packages, all from the registry with their hash, no optional one missing`)

/** As Node looks it up: beside the package, then in each folder above. */
function isLocked(place, name) {
  for (let folder = place; ; ) {
    if (packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true
    if (!folder) return false
    const above = folder.lastIndexOf('/node_modules/')
    folder = above > 0 ? folder.slice(0, above) : ''
  }
}
