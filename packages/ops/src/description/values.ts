import type { Description } from './description.ts'
import type { Place, Role } from './places.ts'

/** A secret is named and never written; how a place gives it to a process is the target's business. */
export const fromSecret = Symbol('secret')

type Value = string | typeof fromSecret

type About = Pick<Description, 'host' | 'ports' | 'name' | 'sizes' | 'scaling' | 'shutdownSeconds'>
type ValueFor = (place: Place, role: Role, about: About) => Value

const always =
  (value: Value): ValueFor =>
  () =>
    value
const inCluster = (place: Place): boolean => place.startsWith('kubernetes')
const isDevelopment = (place: Place): boolean => place.endsWith('development')
const onHost = (place: Place): boolean => place === 'host'

/**
 * The settings that a deployment gives, for every place and role: a setting that is missing here has its default
 * everywhere. Empty means: not set.
 */
const deployedSettings = {
  NODE_ENV: (place) => (isDevelopment(place) ? 'development' : 'production'),
  DATA_DIR: (place, _role, { name }) => (onHost(place) ? `/var/lib/${name}` : '/data'),
  HOST: (place) => (onHost(place) ? '127.0.0.1' : '0.0.0.0'),
  PORT: (_place, _role, { ports }) => String(ports.http),
  ADMIN_HOST: (place) => (inCluster(place) ? '0.0.0.0' : '127.0.0.1'),
  ADMIN_PORT: (_place, _role, { ports }) => String(ports.admin),
  PUBLIC_URL: (place, _role, { host }) => publicUrl(place, host),
  TRUSTED_PROXIES: always('1'),
  WEB_PROCESSES: (place, role, about) =>
    role === 'migrate' ? '' : role === 'web' ? String(onHost(place) ? about.sizes[place].web.replicas : 1) : '0',
  /** Where an autoscaler adds some, those that there may be: each one's share of a limit is then never too large. */
  WEB_PROCESSES_TOTAL: (place, _role, about) =>
    String(place === 'kubernetes-production' ? about.scaling.max : about.sizes[place].web.replicas),
  WORKER_PROCESSES: (place, role, about) =>
    role === 'migrate' ? '' : role === 'worker' ? String(onHost(place) ? about.sizes[place].worker.replicas : 1) : '0',
  MIGRATIONS: (_place, role) => (role === 'migrate' ? 'start' : 'wait'),
  LOG_LEVEL: (place) => (isDevelopment(place) ? 'debug' : 'info'),
  LOG_FORMAT: always('json'),
  SHUTDOWN_TIMEOUT: (_place, _role, { shutdownSeconds }) => `${shutdownSeconds}s`,
  /** With the owner's name and password only where the database is brought up to date. */
  DATABASE_URL: always(fromSecret),
  DB_CA_FILE: (place) => (onHost(place) || place === 'kubernetes-development' ? '' : '/run/tls/ca.pem'),
  DATABASE_ROLE_SECRET: always(fromSecret),
  REDIS_URL: always(fromSecret),
  ENCRYPTION_KEY: always(fromSecret),
  JWT_ACCESS_SECRET: always(fromSecret),
  JWT_REFRESH_SECRET: always(fromSecret),
  AUDIT_SECRET: always(fromSecret),
  MEDIA_URL_SECRET: always(fromSecret),
  S3_ENDPOINT: (place) => (inCluster(place) && !isDevelopment(place) ? 'https://s3.example.com' : ''),
  S3_BUCKET: (place, _role, { name }) => (inCluster(place) && !isDevelopment(place) ? name : ''),
  S3_ACCESS_KEY_ID: (place) => (inCluster(place) && !isDevelopment(place) ? fromSecret : ''),
  S3_SECRET_ACCESS_KEY: (place) => (inCluster(place) && !isDevelopment(place) ? fromSecret : ''),
  SMTP_URL: (place) => (isDevelopment(place) ? '' : fromSecret),
  MAIL_FROM: (place, _role, { host }) => (isDevelopment(place) ? '' : `mail@${host}`),
} as const satisfies Record<string, ValueFor>

export type DeployedSetting = keyof typeof deployedSettings

/** Every deployed setting with its value, in a fixed order. */
export function valuesOf(about: About, place: Place, role: Role): readonly (readonly [DeployedSetting, Value])[] {
  return (Object.keys(deployedSettings) as DeployedSetting[]).map((name) => [
    name,
    deployedSettings[name](place, role, about),
  ])
}

/** The names of the secrets that a place must give. */
export const secretsOf = (about: About, place: Place, role: Role): readonly DeployedSetting[] =>
  valuesOf(about, place, role).flatMap(([name, value]) => (value === fromSecret ? [name] : []))

const publicHosts: Partial<Record<Place, string>> = {
  'kubernetes-staging': 'staging.',
  'kubernetes-development': 'development.',
}

/** Compose for development is reached at its own port, everything else behind TLS. */
const publicUrl = (place: Place, host: string): string =>
  place === 'compose-development' ? 'http://localhost:8080' : `https://${hostOf(place, host)}`

/** The name that people type for a place: `app.example.com`, `staging.app.example.com`. */
export const hostOf = (place: Place, host: string): string => `${publicHosts[place] ?? ''}${host}`
