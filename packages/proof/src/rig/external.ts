import { createHash } from 'node:crypto'
import type { DatabaseClient } from './database.ts'

/** Settings of an installation on a server of its own: another database of a running stack's server. */
export function onServer(admin: DatabaseClient, name: string, port = admin.port): Record<string, string> {
  const login = `${admin.user}:${encodeURIComponent(admin.password ?? '')}`
  return {
    DATABASE_URL: `postgresql://${login}@127.0.0.1:${port}/${name}`,
    DB_POOL_MAX: '4',
    WORKER_PROCESSES: '0',
    ...sharedSecrets(name),
  }
}

/** Instances on one database share their secrets, as on several machines. */
function sharedSecrets(name: string): Record<string, string> {
  const names = [
    'DATABASE_ROLE_SECRET',
    'ENCRYPTION_KEY',
    'JWT_ACCESS_SECRET',
    'JWT_REFRESH_SECRET',
    'MEDIA_URL_SECRET',
  ]
  return Object.fromEntries(
    names.map((secret) => [secret, createHash('sha256').update(`${name} ${secret}`).digest('hex')]),
  )
}
