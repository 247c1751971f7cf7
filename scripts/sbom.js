// `npm run sbom`: the bill of materials of what is delivered, in CycloneDX, from the lock file. npm writes it; we take out what
// changes from run to run, so that the same lock file gives the same bill.
import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'

const file = process.argv[2] ?? '.seaworthy/sbom.cdx.json'
const { stdout, stderr, status } = spawnSync(
  'npm',
  ['sbom', '--package-lock-only', '--omit=dev', '--sbom-format=cyclonedx', '--sbom-type=application'],
  { encoding: 'utf8', maxBuffer: 64 * 1024 * 1024 },
)
if (status !== 0) {
  console.error(stderr.trim())
  process.exit(1)
}
const bill = JSON.parse(stdout)
const { version } = JSON.parse(readFileSync('package.json', 'utf8'))
delete bill.serialNumber
delete bill.metadata.timestamp
mkdirSync('.seaworthy', { recursive: true })
writeFileSync(file, `${JSON.stringify(bill, null, 2)}\n`)
console.log(`${file}: ${bill.components.length} components of ${version}`)
