import { join } from 'node:path'
import type { Rig } from '../rig.ts'
import { until } from '../wait.ts'
import { podman, tryPodman } from './engine.ts'
import { makeStandIns } from './images.ts'

const images = { database: 'docker.io/library/postgres:18-bookworm', redis: 'docker.io/library/redis:7.4-bookworm' }
const PATIENCE_MS = 60_000

/**
 * PostgreSQL and Redis for pods, under the names `database` and `redis`, by TLS, with what `prepare-compose.sh` has made
 * in `folder`. They stand in for what an operator of Kubernetes or a provider would run.
 */
export async function startNeighbours(rig: Rig, { folder, network }: { folder: string; network: string }) {
  await makeStandIns(Object.values(images))
  const mount = (from: string, to: string): string[] => ['--volume', `${join(folder, from)}:${to}:ro`]
  const secret = (from: string, name: string): string[] => mount(from, `/run/secrets/${name}`)
  const common = (name: string): string[] => [
    ...['run', '--detach', '--name', `${network}-${name}`, '--network', network, '--network-alias', name],
    ...['--user', '999:999', '--restart', 'always', '--tmpfs', '/run/tls:mode=1777', '--entrypoint', 'sh'],
    ...[...secret(`tls/${name}.pem`, 'certificate'), ...secret(`tls/${name}.key`, 'key')],
  ]
  const start = (program: string): string[] => [
    '-c',
    `install -m 600 /run/secrets/key /run/tls/server.key && exec ${program}`,
  ]
  rig.defer(async () => {
    for (const name of Object.keys(images))
      await tryPodman('rm', '--force', '--volumes', '--time', '2', `${network}-${name}`)
  })
  await podman(
    ...common('database'),
    ...secret('secrets/database_password', 'password'),
    ...mount('postgres/pg_hba.conf', '/etc/postgresql/pg_hba.conf'),
    ...['--env', 'POSTGRES_USER=owner', '--env', 'POSTGRES_DB=seaworthy'],
    ...['--env', 'POSTGRES_PASSWORD_FILE=/run/secrets/password', '--tmpfs', '/run/postgresql:mode=1777'],
    images.database,
    ...start(
      'docker-entrypoint.sh postgres -c ssl=on -c ssl_cert_file=/run/secrets/certificate -c ssl_key_file=/run/tls/server.key -c hba_file=/etc/postgresql/pg_hba.conf',
    ),
  )
  await podman(
    ...common('redis'),
    ...secret('secrets/redis_acl', 'acl'),
    ...mount('tls/ca.pem', '/run/tls-ca.pem'),
    images.redis,
    ...start(
      'redis-server --port 0 --tls-port 6379 --tls-auth-clients no --protected-mode no --dir /tmp --tls-cert-file /run/secrets/certificate --tls-key-file /run/tls/server.key --tls-ca-cert-file /run/tls-ca.pem --aclfile /run/secrets/acl',
    ),
  )
  const isServed = ['exec', `${network}-database`, 'pg_isready', '-q', '-h', '127.0.0.1', '-U', 'owner']
  await until('PostgreSQL serves', async () => (await tryPodman(...isServed)).code === 0, PATIENCE_MS)
}
