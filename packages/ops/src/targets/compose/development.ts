import { container, type Description, type Role } from '../../description/index.ts'
import { database, proxy, redis } from './neighbours.ts'
import { AUTHORITY, checkedBy, limits, ours, settingsOf } from './processes.ts'
import { addressOf, filesOf } from './production.ts'

const place = 'compose-development'

/** One of each, built from the sources beside it, at http://localhost:8080, with mail kept for `seaworthy mail list`. */
export function development(about: Description) {
  const services = {
    proxy: {
      ...proxy(about, 'development.conf'),
      ports: [`127.0.0.1:8080:${about.ports.proxyHttp}`],
      depends_on: { web: { condition: 'service_healthy' } },
    },
    web: {
      ...processOf(about, 'web'),
      ...limits(about.sizes[place].web),
      healthcheck: checkedBy(container.health),
      depends_on: { migrate: { condition: 'service_completed_successfully' }, redis: { condition: 'service_healthy' } },
    },
    worker: {
      ...processOf(about, 'worker'),
      ...limits(about.sizes[place].worker),
      healthcheck: checkedBy(container.health),
      depends_on: { migrate: { condition: 'service_completed_successfully' } },
    },
    migrate: {
      ...processOf(about, 'migrate'),
      command: container.migrate.slice(-1),
      ...limits(about.neighbours.migrate),
      depends_on: { database: { condition: 'service_healthy' } },
    },
    database: database(about),
    redis: redis(about),
  }
  return {
    name: `${about.name}-development`,
    services,
    volumes: { data: {}, database: {} },
    secrets: filesOf(Object.values(services).flatMap((service) => ('secrets' in service ? service.secrets : []))),
  }
}

/** The same settings as in production, but for values: the same secrets as files, TLS to the database and to Redis. */
const processOf = (about: Description, role: Role) => ({
  image: `${about.name}:development`,
  build: { context: '..', dockerfile: 'deploy/Dockerfile' },
  ...settingsOf(about, place, role, {
    ...(role === 'migrate' ? {} : { DATABASE_URL: addressOf(about) }),
    DB_CA_FILE: AUTHORITY,
    NODE_EXTRA_CA_CERTS: AUTHORITY,
  }),
  ...ours,
})
