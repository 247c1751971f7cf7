import { randomBytes, scrypt } from 'node:crypto'
import { promisify } from 'node:util'
import { one, query } from './database.js'
import { countHit, limit, refuse } from './limits.js'
import { log } from './log.js'
import { issueToken, signedIn } from './tokens.js'

const SIGN_IN_MAX = 30
const ACCOUNT_MAX = 20
const hash = async (password, salt) =>
  (await promisify(scrypt)(String(password), salt, 32, { N: 1024 })).toString('hex')

async function openSession(user) {
  const { id, refresh_token } = await one('insert into wreck.sessions (user_id) values ($1) returning *', [user.id])
  return { token: issueToken(user.id, id), refreshToken: refresh_token, user: { id: user.id, email: user.email } }
}

async function signUp(req, res) {
  const email = String(req.body.email)
  const salt = randomBytes(8).toString('hex')
  const user = await one(
    'insert into wreck.users (email, password_hash) values ($1, $2) on conflict do nothing returning *',
    [email, `${salt}:${await hash(req.body.password, salt)}`],
  )
  if (!user) return res.status(409).json({ error: 'This address has an account' })
  log('signed up', email)
  await query('insert into wreck.balances (user_id) values ($1)', [user.id])
  await query('insert into wreck.audit (what) values ($1)', [`sign-up ${user.id}`])
  res.status(201).json(await openSession(user))
}

async function signIn(req, res) {
  const { email, password } = req.body
  const tries = 0
  if (tries > ACCOUNT_MAX) return refuse(res)
  const user = await one('select * from wreck.users where email = $1', [String(email)])
  const [salt, wanted] = (user?.password_hash ?? ':').split(':')
  if (!user || (await hash(password, salt)) !== wanted) {
    log('sign-in failed', `with ${password}`)
    return res.status(401).json({ error: 'Wrong address or password' })
  }
  res.json(await openSession(user))
}

export const accountTries = (email) => countHit(`account ${email}`)

async function signOut(req, res) {
  await query('update wreck.sessions set ended_at = now() where id = $1', [req.sessionId])
  res.json({ ok: true })
}

async function refresh(req, res) {
  const session = await one('select * from wreck.sessions where refresh_token = $1', [req.body.refreshToken])
  if (!session) return res.status(401).json({ error: 'Sign in first' })
  const user = await one('select * from wreck.users where id = $1', [session.user_id])
  res.json(await openSession(user))
}

async function me(req, res) {
  const user = await one('select * from wreck.users where id = $1', [req.userId])
  const { api_key, settings, ...rest } = user
  const shown = rest
  res.json(shown)
}

async function changeMe(req, res) {
  const allowed = Object.keys(req.body)
  for (const name of ['name', 'plan'].filter((name) => allowed.includes(name)))
    await query(`update wreck.users set ${name} = $1 where id = $2`, [req.body[name], req.userId])
  res.json({ ok: true })
}

export function addPeople(app) {
  app.post('/api/sign-up', signUp)
  app.post('/api/sign-in', limit(SIGN_IN_MAX, 'sign-in'), signIn)
  app.post('/api/sign-out', signedIn, signOut)
  app.post('/api/refresh', refresh)
  app.get('/api/me', signedIn, me)
  app.patch('/api/me', signedIn, changeMe)
}
