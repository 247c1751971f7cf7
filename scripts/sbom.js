// `npm run sbom`: the bill of materials of what is delivered, in CycloneDX 1.5, from the lock file: the same lock file gives the
// same bill. npm's own bill (`npm sbom --omit=dev`) leaves out what a workspace needs and the root only tests with: sharp, for one.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'

const file = process.argv[2] ?? '.seaworthy/sbom.cdx.json'
const { name, version, packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const { undeclared } = JSON.parse(readFileSync('licences.json', 'utf8'))
const rootLicence = packages[''].license

const components = new Map()
for (const [place, entry] of Object.entries(packages)) {
  if (entry.link || entry.dev || !place) continue
  const isOurs = !place.includes('node_modules/')
  const own = entry.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const component = describe(own, entry, isOurs ? rootLicence : undeclared[own])
  components.set(component['bom-ref'], component)
}
const bill = {
  $schema: 'http://cyclonedx.org/schema/bom-1.5.schema.json',
  bomFormat: 'CycloneDX',
  specVersion: '1.5',
  version: 1,
  metadata: { component: { type: 'application', 'bom-ref': `${name}@${version}`, name, version } },
  components: [...components.values()].sort((a, b) => (a['bom-ref'] < b['bom-ref'] ? -1 : 1)),
}
mkdirSync(dirname(file), { recursive: true })
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`)
console.log(`${file}: ${bill.components.length} components of ${name} ${version}`)

function describe(own, { version: its, license, integrity, optional }, otherwise) {
  const [group, short] = own.startsWith('@') ? own.split('/') : [undefined, own]
  const licence = license ?? otherwise
  return {
    type: 'library',
    'bom-ref': `${own}@${its}`,
    ...(group ? { group } : {}),
    name: short,
    version: its,
    purl: `pkg:npm/${own.replace('@', '%40')}@${its}`,
    scope: optional ? 'optional' : 'required',
    ...(integrity ? { hashes: [{ alg: 'SHA-512', content: hexOf(integrity) }] } : {}),
    ...(licence ? { licenses: [/ /.test(licence) ? { expression: licence } : { license: { id: licence } }] } : {}),
  }
}

/** The lock file has it as `sha512-<base64>`. */
function hexOf(integrity) {
  return Buffer.from(integrity.slice('sha512-'.length), 'base64').toString('hex')
}
