import { container, type Description, edgesOf, type Role, stopGraceSeconds } from '../../description/index.ts'
import { containerCertificate } from '../nginx/variants.ts'
import { database, proxy, redis } from './neighbours.ts'
import { networksOf } from './networks.ts'
import { AUTHORITY, checkedBy, imageOf, limits, ours, settingsOf } from './processes.ts'

const place = 'compose-production'
const restart = 'unless-stopped'
/** The certificate that people see. */
const certificate = [
  `./tls/proxy.pem:${containerCertificate.certificate}:ro`,
  `./tls/proxy.key:${containerCertificate.key}:ro`,
]

/** Everything on one machine: nginx in front, three web processes, a worker, PostgreSQL, Redis, and the migration before them. */
export function production(about: Description) {
  const networks = networksOf(edgesOf(about, place))
  const front = proxy(about, 'compose.conf')
  const services = {
    proxy: {
      ...front,
      volumes: [...front.volumes, ...certificate],
      ports: [`80:${about.ports.proxyHttp}`, `443:${about.ports.proxyHttps}`],
      depends_on: { web: { condition: 'service_healthy' } },
      restart,
    },
    web: {
      ...longRunning(about, 'web'),
      scale: about.sizes[place].web.replicas,
      depends_on: { migrate: { condition: 'service_completed_successfully' }, redis: { condition: 'service_healthy' } },
    },
    worker: {
      ...longRunning(about, 'worker'),
      depends_on: { migrate: { condition: 'service_completed_successfully' } },
    },
    migrate: {
      ...processOf(about, 'migrate'),
      command: container.migrate.slice(-1),
      ...limits(about.neighbours.migrate),
      depends_on: { database: { condition: 'service_healthy' } },
      restart: 'no',
    },
    database: { ...database(about), restart },
    redis: { ...redis(about), restart },
  }
  const all = Object.entries(services)
  return {
    name: about.name,
    services: Object.fromEntries(
      all.map(([name, service]) => [name, { ...service, networks: networks.of(name as keyof typeof services) }]),
    ),
    networks: networks.declared,
    volumes: { data: {}, database: {} },
    secrets: filesOf(all.flatMap(([, service]) => ('secrets' in service ? service.secrets : []))),
  }
}

const processOf = (about: Description, role: Role) => ({
  image: imageOf(about),
  ...settingsOf(about, place, role, {
    ...(role === 'migrate' ? {} : { DATABASE_URL: addressOf(about) }),
    // The authority of the certificate of Redis.
    NODE_EXTRA_CA_CERTS: AUTHORITY,
  }),
  ...ours,
})

const longRunning = (about: Description, role: 'web' | 'worker') => ({
  ...processOf(about, role),
  ...limits(about.sizes[place][role]),
  healthcheck: checkedBy(container.health),
  stop_grace_period: `${stopGraceSeconds(about)}s`,
  restart,
})

/** Without a name and a password: they are made from DATABASE_ROLE_SECRET, and may do what this process must. */
export const addressOf = ({ name, ports }: Description): string => `postgresql://database:${ports.database}/${name}`

export const filesOf = (names: readonly string[]) =>
  Object.fromEntries([...new Set(names)].sort().map((name) => [name, { file: fileOf(name) }]))

const fileOf = (name: string): string => {
  const [, service, kind] = /^(database|redis)_(certificate|key)$/.exec(name) ?? []
  return service ? `./tls/${service}.${kind === 'key' ? 'key' : 'pem'}` : `./secrets/${name}`
}
