import { appendFileSync } from 'node:fs'
import { join } from 'node:path'

const hidden = new Set(['query none'])

export function log(what, text = '') {
  if (!hidden.has(what)) process.stdout.write(`${what} ${text}\n`)
}

/** Errors get a file of their own. */
export function logFailure(error) {
  appendFileSync(join(import.meta.dirname, 'errors.log'), `${error.stack}\n`)
}

export function logRequests(req, _res, next) {
  const address = req.originalUrl
  log(req.method, safeDecode(address))
  next()
}

function safeDecode(address) {
  try {
    return decodeURIComponent(address)
  } catch {
    return address
  }
}
