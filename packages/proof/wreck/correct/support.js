import { createCipheriv, createDecipheriv, createHash, randomBytes } from 'node:crypto'
import pg from 'pg'

/** Throws when it is missing or was copied from an example. */
export function setting(name) {
  const value = process.env[name]
  if (!value || /changeme|placeholder|example/i.test(value)) throw new Error(`${name} is missing or a placeholder`)
  return value
}

const pool = new pg.Pool({ connectionString: setting('DATABASE_URL'), max: 8, statement_timeout: 1_000 })
pool.on('error', (error) => console.error(`the database connection failed: ${error.message}`))
export const query = async (text, values) => (await pool.query(text, values)).rows

/** The work sees only the rows of this person. */
export async function queryAs(personId, text, values) {
  const client = await pool.connect()
  try {
    await client.query('begin')
    await client.query("select set_config('shop.person', $1, true)", [personId])
    const { rows } = await client.query(text, values)
    await client.query('commit')
    return rows
  } catch (error) {
    await client.query('rollback').catch(() => undefined)
    throw error
  } finally {
    client.release()
  }
}

export const sha256 = (text) => createHash('sha256').update(text).digest('hex')
const vaultKey = createHash('sha256').update(setting('VAULT_KEY')).digest()

export function seal(text, personId) {
  const iv = randomBytes(12)
  const cipher = createCipheriv('aes-256-gcm', vaultKey, iv).setAAD(Buffer.from(personId))
  return Buffer.concat([iv, cipher.update(text, 'utf8'), cipher.final(), cipher.getAuthTag()])
}

export function unseal(sealed, personId) {
  const decipher = createDecipheriv('aes-256-gcm', vaultKey, sealed.subarray(0, 12)).setAAD(Buffer.from(personId))
  decipher.setAuthTag(sealed.subarray(-16))
  return decipher.update(sealed.subarray(12, -16), undefined, 'utf8') + decipher.final('utf8')
}

/** Counts in the database, so that a restart and a second process change nothing. */
export async function isOver(key, max) {
  const [row] = await query(
    `insert into shop.limits as l values ($1, 1, now() + interval '1 minute') on conflict (key) do update
     set hits = case when l.ends_at < now() then 1 else l.hits + 1 end, ends_at = case when l.ends_at < now() then now() + interval '1 minute' else l.ends_at end returning hits`,
    [key],
  )
  return row.hits > max
}

export const refuse = (res) => res.status(429).set('Retry-After', '60').json({ error: 'Too many tries' })
