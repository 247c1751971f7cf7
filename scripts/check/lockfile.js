// Every optional package that the lock file names must be in it: npm leaves out what a registry lacks, and `npm ci`
// then fails on other platforms.
import { readFileSync } from 'node:fs'

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const missing = []
for (const [place, { optionalDependencies = {} }] of Object.entries(packages)) {
  for (const name of Object.keys(optionalDependencies))
    if (!isLocked(place, name)) missing.push(`${name} of ${place || 'the root'}`)
}
for (const line of missing) console.log(`missing in package-lock.json: ${line}`)
if (missing.length) process.exit(1)
console.log(`${Object.keys(packages).length} packages, no optional one missing`)

/** As Node looks it up: beside the package, then in each folder above. */
function isLocked(place, name) {
  for (let folder = place; ; ) {
    if (packages[`${folder ? `${folder}/` : ''}node_modules/${name}`]) return true
    if (!folder) return false
    const above = folder.lastIndexOf('/node_modules/')
    folder = above > 0 ? folder.slice(0, above) : ''
  }
}
