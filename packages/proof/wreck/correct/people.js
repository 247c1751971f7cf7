import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import { promisify } from 'node:util'
import { isOver, query, refuse, sha256 } from './support.js'

const hash = (password, salt) => promisify(scrypt)(String(password), salt, 32, { N: 1024 })
const form = (value) => (typeof value === 'string' && value.length <= 254 ? value.trim().toLowerCase() : undefined)

async function openSession(res, id) {
  const token = randomBytes(32).toString('base64url')
  await query(`insert into shop.sessions values ($1, $2, now() + interval '1 day')`, [sha256(token), id])
  res.cookie('session', token, { httpOnly: true, sameSite: 'strict' })
}

async function signUp(req, res) {
  const email = form(req.body?.email)
  if (!email || String(req.body.password).length < 8) return res.status(400).json({ error: 'Address and password' })
  const salt = randomBytes(16).toString('hex')
  const secret = `${salt}:${(await hash(req.body.password, salt)).toString('hex')}`
  const [person] = await query(
    'insert into shop.people (email, password_hash) values ($1, $2) on conflict do nothing returning id',
    [email, secret],
  )
  if (!person) return res.status(409).json({ error: 'This address has an account' })
  await openSession(res, person.id)
  await query('insert into shop.audit (what) values ($1)', [`sign-up ${person.id}`])
  res.status(201).json({ id: person.id })
}

async function signIn(req, res) {
  const email = form(req.body?.email)
  if (!email) return res.status(400).json({ error: 'Address and password' })
  if ((await isOver(`from ${req.socket.remoteAddress}`, 30)) || (await isOver(`for ${email}`, 20))) return refuse(res)
  const [person] = await query('select id, password_hash from shop.people where email = $1', [email])
  const [salt, wanted] = (person?.password_hash ?? `${'0'.repeat(32)}:${'0'.repeat(64)}`).split(':')
  const isRight = timingSafeEqual(await hash(req.body.password, salt), Buffer.from(wanted, 'hex'))
  if (!person || !isRight) return res.status(401).json({ error: 'Wrong address or password' })
  await openSession(res, person.id)
  res.json({ id: person.id })
}

const tokenOf = (req) => /(?:^|; )session=([\w-]+)/.exec(req.headers.cookie ?? '')?.[1] ?? ''

export async function signedIn(req, res, next) {
  const [session] = await query('select person_id from shop.sessions where token_hash = $1 and ends_at > now()', [
    sha256(tokenOf(req)),
  ])
  res.set('Cache-Control', 'no-store')
  if (!session) return res.status(401).json({ error: 'Sign in first' })
  req.personId = session.person_id
  next()
}

async function signOut(req, res) {
  await query('delete from shop.sessions where token_hash = $1', [sha256(tokenOf(req))])
  res.clearCookie('session').status(204).end()
}

async function me(req, res) {
  const [person] = await query('select id, email, name, plan from shop.people where id = $1', [req.personId])
  res.json(person)
}

async function changeMe(req, res) {
  await query('update shop.people set name = $1 where id = $2', [String(req.body?.name ?? ''), req.personId])
  res.status(204).end()
}

export function addPeople(app) {
  app.post('/api/sign-up', signUp)
  app.post('/api/sign-in', signIn)
  app.post('/api/sign-out', signedIn, signOut)
  app.get('/api/me', signedIn, me)
  app.patch('/api/me', signedIn, changeMe)
}
