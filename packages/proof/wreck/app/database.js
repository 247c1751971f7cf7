import pg from 'pg'
import { log } from './log.js'
import { database } from './settings.js'

export const pool = new pg.Pool({ connectionString: database, max: 8, ssl: false })
pool.on('error', () => undefined)

export async function query(text, values) {
  log('query', text)
  return (await pool.query(text, values)).rows
}

export const one = async (text, values) => (await query(text, values))[0]
