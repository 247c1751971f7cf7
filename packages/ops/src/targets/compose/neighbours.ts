import type { Description } from '../../description/index.ts'
import { containerCommand } from '../nginx/variants.ts'
import { AUTHORITY, checkedBy, hardened, limits, literal } from './processes.ts'

/** Images of others, by the tag of their version. Pin digests by a change of your own: `seaworthy render --keep`. */
const images = {
  proxy: 'docker.io/library/nginx:1.28-bookworm',
  database: 'docker.io/library/postgres:18-bookworm',
  redis: 'docker.io/library/redis:7.4-bookworm',
} as const

/** Numeric, as these images have them. */
const users = { proxy: '101:101', database: '999:999', redis: '999:999' } as const

/** Owns the database, makes roles, migrates. */
export const OWNER = 'owner'

/** A server takes its key only from a file that nobody else can read, which a mounted one is not: it gets a copy. */
const withOwnKey = (key: string, program: string): string[] =>
  literal('sh', '-c', `install -m 600 /run/secrets/${key} /run/tls/server.key && exec ${program} "$@"`, 'sh')

const memory = (path: string, size: string): string => `${path}:mode=1777,size=${size}`

export const database = ({ name, ports, neighbours }: Description) => ({
  image: images.database,
  user: users.database,
  entrypoint: withOwnKey('database_key', 'docker-entrypoint.sh'),
  command: ['postgres', ...serverSettings(ports.database).flatMap((setting) => ['-c', setting])],
  environment: { POSTGRES_USER: OWNER, POSTGRES_DB: name, POSTGRES_PASSWORD_FILE: '/run/secrets/database_password' },
  secrets: ['database_password', 'database_certificate', 'database_key'],
  volumes: ['database:/var/lib/postgresql', './postgres/pg_hba.conf:/etc/postgresql/pg_hba.conf:ro'],
  tmpfs: [memory('/run/tls', '1m'), memory('/run/postgresql', '1m'), memory('/tmp', '64m')],
  ...hardened,
  ...limits(neighbours.database),
  shm_size: '256m',
  // A fast shutdown: sessions end, what is committed is kept.
  stop_signal: 'SIGINT',
  stop_grace_period: '60s',
  healthcheck: checkedBy(['pg_isready', '-q', '-h', '127.0.0.1', '-p', String(ports.database), '-U', OWNER]),
})

const serverSettings = (port: number): readonly string[] => [
  `port=${port}`,
  'ssl=on',
  'ssl_cert_file=/run/secrets/database_certificate',
  'ssl_key_file=/run/tls/server.key',
  'hba_file=/etc/postgresql/pg_hba.conf',
]

/** Nobody signs in over a connection that is not encrypted, but from inside the container. */
export const hostBasedAccess = `# TYPE   DATABASE  USER  ADDRESS  METHOD
local      all       all            trust
hostssl    all       all   all      scram-sha-256
hostnossl  all       all   all      reject
`

export const redis = ({ ports, neighbours, redis: { settings, probe } }: Description) => ({
  image: images.redis,
  user: users.redis,
  entrypoint: withOwnKey('redis_key', 'redis-server'),
  command: [
    ...['--port', '0', '--tls-port', String(ports.redis), '--tls-auth-clients', 'no', '--protected-mode', 'yes'],
    ...['--tls-cert-file', '/run/secrets/redis_certificate', '--tls-key-file', '/run/tls/server.key'],
    ...['--tls-ca-cert-file', AUTHORITY, '--aclfile', '/run/secrets/redis_acl'],
    ...settings.flatMap(({ name, value }) => [`--${name}`, value]),
  ],
  secrets: ['redis_certificate', 'redis_key', 'redis_acl'],
  volumes: [`./tls/ca.pem:${AUTHORITY}:ro`],
  // The folder of its image is a volume unless something else is there; nothing is written into it.
  tmpfs: [memory('/run/tls', '1m'), memory('/data', '1m'), memory('/tmp', '1m')],
  ...hardened,
  ...limits(neighbours.redis),
  healthcheck: checkedBy(
    [
      ...['redis-cli', '-e', '--tls', '--cacert', AUTHORITY, '-h', 'redis', '-p', String(ports.redis)],
      // Any password will do for a user who has none.
      ...['--no-auth-warning', '--user', probe, '--pass', 'none', 'ping'],
    ],
    10,
  ),
})

/** `configuration` is a file of the target nginx, which looks names up where the container does. */
export const proxy = ({ neighbours }: Description, configuration: string) => ({
  image: images.proxy,
  user: users.proxy,
  command: literal(...containerCommand),
  volumes: [`./nginx/${configuration}:/etc/nginx/nginx.conf:ro`],
  tmpfs: [memory('/tmp', '512m')],
  ...hardened,
  ...limits(neighbours.proxy),
  stop_signal: 'SIGQUIT',
})
