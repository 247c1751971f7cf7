import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Secret } from '@seaworthy/core'
import { type Config, readConfig } from '@seaworthy/platform/config'
import { type Endpoint, type Login, loginOf, parseDatabaseUrl } from '@seaworthy/platform/data'
import { findPlace } from './place.ts'

const roles = ['admin', 'app', 'worker', 'reader'] as const
type Role = (typeof roles)[number]

/** Prints the address of the database for a person's tools: `psql "$(npx seaworthy database --as reader)"`. */
export function printDatabaseUrl({ as }: { readonly as: string }): void {
  if (!roles.includes(as as Role)) throw new Error(`There is no role ${as}.\n    HINT: one of ${roles.join(', ')}`)
  process.stdout.write(`${urlFor(as as Role)}\n`)
}

function urlFor(role: Role): string {
  const config = readConfig(findPlace().directory)
  if (role === 'admin' && config.databaseUrl) return config.databaseUrl.reveal()
  const { endpoint, login } = connectionOf(config, role)
  const tls = endpoint.tls === 'verify' ? `?sslmode=verify-full${authority(config.databaseCaFile)}` : ''
  return `postgresql://${login.user}:${encodeURIComponent(login.password)}@${endpoint.host}:${endpoint.port}/${endpoint.database}${tls}`
}

/** Where the database of this installation is, and how a role comes in. */
export function connectionOf(config: Config, role: Role): { readonly endpoint: Endpoint; readonly login: Login } {
  const given = config.databaseUrl && givenAddress(config, config.databaseUrl)
  if (given && role === 'admin') return { endpoint: given.endpoint, login: given.admin }
  const endpoint = given?.endpoint ?? embeddedEndpoint(config.dataDirectory)
  const login =
    role === 'admin'
      ? { user: 'seaworthy_admin', password: readSecret(config.dataDirectory, 'DATABASE_ADMIN_PASSWORD') }
      : loginOf(role, config.secrets.databaseRoleSecret, endpoint)
  return { endpoint, login }
}

/** `psql` looks for it in the address. */
const authority = (path: string | undefined): string => (path ? `&sslrootcert=${encodeURIComponent(path)}` : '')

/** Where the database of this installation is. Throws when none was started yet. */
export const findEndpoint = (config: Config): Endpoint =>
  config.databaseUrl ? givenAddress(config, config.databaseUrl).endpoint : embeddedEndpoint(config.dataDirectory)

/** Where it is and how to do anything there, for tools of operators. Throws when there is none yet. */
export function adminAddress(config: Config): { readonly endpoint: Endpoint; readonly admin: Login } {
  if (config.databaseUrl) return givenAddress(config, config.databaseUrl)
  const endpoint = embeddedEndpoint(config.dataDirectory)
  const password = readSecret(config.dataDirectory, 'DATABASE_ADMIN_PASSWORD')
  return { endpoint, admin: { user: 'seaworthy_admin', password } }
}

/** With the authority that signed its certificate, as the processes have it. */
const givenAddress = ({ databaseCaFile }: Config, url: Secret) =>
  parseDatabaseUrl(url.reveal(), databaseCaFile ? readFileSync(databaseCaFile, 'utf8') : undefined)

function embeddedEndpoint(dataDirectory: string) {
  const port = readOrUndefined(join(dataDirectory, 'database.port'))
  if (!port) throw new Error('There is no database yet.\n    HINT: npm start')
  return { host: '127.0.0.1', port: Number(port), database: 'seaworthy', tls: 'off' as const }
}

function readSecret(dataDirectory: string, name: string): string {
  const secret = readOrUndefined(join(dataDirectory, 'secrets', name))
  if (!secret) throw new Error(`The secret ${name} is not in ${dataDirectory}.\n    HINT: npm start`)
  return secret
}

function readOrUndefined(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim()
  } catch {
    return undefined
  }
}
