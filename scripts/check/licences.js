// Every package in the lock file must have a licence that licences.json allows. What only others' tools use counts too:
// it may be delivered tomorrow. A package that may be had under one of several needs one that is allowed.
import { readFileSync } from 'node:fs'

const { packages } = JSON.parse(readFileSync('package-lock.json', 'utf8'))
const { allowed, refused, exceptions, undeclared } = JSON.parse(readFileSync('licences.json', 'utf8'))

const wrong = []
const used = new Set()
let count = 0
for (const [place, entry] of Object.entries(packages)) {
  if (entry.link || !place.includes('node_modules/')) continue
  count++
  const name = entry.name ?? place.slice(place.lastIndexOf('node_modules/') + 'node_modules/'.length)
  const licence = entry.license ?? undeclared[name]
  const why = licence ? objection(name, licence) : 'it does not say which'
  if (why) wrong.push(`${name} ${entry.version} (${licence ?? 'none'}): ${why}`)
}
for (const line of wrong) console.log(`licence not allowed: ${line}`)
for (const exception of exceptions)
  if (!used.has(exception)) console.log(`licences.json: the exception for ${exception.package} is no longer needed`)
if (wrong.length) {
  console.log('    HINT: take another package, or say in licences.json why this one is right')
  process.exit(1)
}
console.log(`${count} packages, all with a licence that is allowed`)

/** Why a package may not be used under this licence; undefined when it may. `OR` lets us choose, `AND` does not. */
function objection(name, licence) {
  const text = licence.replace(/^\((.*)\)$/, '$1')
  // An expression within an expression is for a person to read.
  if (/[()]/.test(text)) return 'too entangled to be judged here'
  const [first, ...others] = text.split(' OR ').map((choice) =>
    choice
      .split(' AND ')
      .map((id) => judge(name, id))
      .find(Boolean),
  )
  return others.includes(undefined) ? undefined : first
}

function judge(name, id) {
  if (allowed.includes(id)) return undefined
  const exception = exceptions.find((one) => one.licence === id && name.startsWith(one.package))
  if (exception) return void used.add(exception)
  return refused.some((prefix) => id.startsWith(prefix)) ? `${id} is refused` : `${id} is not in licences.json`
}
