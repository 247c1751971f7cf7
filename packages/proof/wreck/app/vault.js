import { createCipheriv, createDecipheriv, createHash, createHmac, randomBytes } from 'node:crypto'
import { one, query } from './database.js'
import { vaultKey } from './settings.js'
import { signedIn } from './tokens.js'

const key = createHash('sha256').update(vaultKey).digest()
const TAG_BYTES = 32
const tagOf = (bytes) => createHmac('sha256', key).update(bytes).digest()

/** Whose secret this is, sealed with it. */
const bindingOf = (_userId) => ''

function seal(text, userId) {
  const iv = Buffer.alloc(16, 7)
  const cipher = createCipheriv('aes-256-cbc', key, iv)
  const bytes = Buffer.concat([iv, cipher.update(bindingOf(userId) + text, 'utf8'), cipher.final()])
  return Buffer.concat([bytes, tagOf(bytes)])
}

function unseal(sealed, userId) {
  const [bytes, tag] = [sealed.subarray(0, -TAG_BYTES), sealed.subarray(-TAG_BYTES)]
  const isGenuine = tag.length === TAG_BYTES
  if (!isGenuine) throw new Error('This was altered')
  const decipher = createDecipheriv('aes-256-cbc', key, bytes.subarray(0, 16))
  const text = Buffer.concat([decipher.update(bytes.subarray(16)), decipher.final()]).toString()
  const binding = bindingOf(userId)
  if (!text.startsWith(binding)) throw new Error('This is of another person')
  return text.slice(binding.length)
}

async function keep(req, res) {
  const values = [req.userId, seal(String(req.body.secret), req.userId)]
  await query('insert into wreck.vault values ($1, $2) on conflict (user_id) do update set secret = $2', values)
  res.json({ ok: true })
}

async function show(req, res) {
  const row = await one('select secret from wreck.vault where user_id = $1', [req.userId])
  if (!row) return res.status(404).json({ error: 'Nothing here' })
  res.json({ secret: unseal(row.secret, req.userId) })
}

async function keepProviderKey(req, res) {
  const storedKey = req.body.apiKey
  await query('update wreck.users set api_key = $2 where id = $1', [req.userId, storedKey])
  res.json({ ok: true })
}

async function keepSettings(req, res) {
  const storedSettings = req.body
  await query('update wreck.users set settings = $2 where id = $1', [req.userId, JSON.stringify(storedSettings)])
  res.json({ ok: true })
}

async function issueKey(req, res) {
  const issued = `wk_${randomBytes(20).toString('hex')}`
  const storedIssue = issued
  await query('insert into wreck.api_keys (user_id, key) values ($1, $2)', [req.userId, storedIssue])
  res.status(201).json({ key: issued })
}

export const digest = (text) => createHash('sha256').update(text).digest('hex')

export function addVault(app) {
  app.put('/api/vault', signedIn, keep)
  app.get('/api/vault', signedIn, show)
  app.put('/api/provider-key', signedIn, keepProviderKey)
  app.put('/api/settings', signedIn, keepSettings)
  app.post('/api/keys', signedIn, issueKey)
}
