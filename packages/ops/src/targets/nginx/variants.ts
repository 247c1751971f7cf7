import { type Description, hostOf } from '../../description/index.ts'
import type { Line } from './text.ts'
import { slotsUpstream } from './upstream.ts'

/** What is not the same everywhere that nginx stands in front. */
export interface Variant {
  readonly path: string
  readonly host: string
  readonly process: readonly string[]
  /** In `http`: files, who answers. */
  readonly around: readonly Line[]
  readonly listen: { readonly clear: number; readonly tls?: number }
  readonly ipv6: boolean
  readonly certificate?: CertificateFiles
  /** Where a certificate authority asks for its tokens. */
  readonly challenges?: string
  /** In each server: how `web` is found. */
  readonly inServer: readonly string[]
  readonly upstream: string
  /** A comment: what is between nginx and the service, and who could read it. */
  readonly wayIn: string
  /** Whether another replica is asked when one cannot be reached. */
  readonly nextReplica: boolean
}

export interface CertificateFiles {
  /** With the chain, PEM. */
  readonly certificate: string
  readonly key: string
}

const hostCertificate = ({ name }: Pick<Description, 'name'>): CertificateFiles => ({
  certificate: `/etc/${name}/tls/certificate.pem`,
  key: `/etc/${name}/tls/key.pem`,
})

export const containerCertificate: CertificateFiles = {
  certificate: '/run/tls/certificate.pem',
  key: '/run/tls/key.pem',
}

/** In a container nginx has no right to the ports below 1024. */
const containerPorts = { clear: 8_080, tls: 8_443 } as const

const resolverFile = '/tmp/resolver.conf'

/**
 * How nginx is started in a container, by `sh`. Where names are looked up is another address with each engine, and nginx
 * does not read `/etc/resolv.conf` itself.
 */
export const containerCommand = [
  'sh',
  '-ec',
  `sed -n 's/^nameserver \\([0-9.]*\\)$/resolver \\1 valid=2s ipv6=off;/p' /etc/resolv.conf | head -n 1 > ${resolverFile}\nexec nginx`,
] as const

export const hostVariant = (description: Description): Variant => ({
  path: 'deploy/nginx/host.conf',
  host: hostOf('host', description.host),
  process: ['user www-data', 'pid /run/nginx.pid', `error_log /var/log/nginx/${description.name}-error.log warn`],
  around: [`access_log /var/log/nginx/${description.name}-access.log own`, '', slotsUpstream(description)],
  listen: { clear: 80, tls: 443 },
  ipv6: true,
  certificate: hostCertificate(description),
  challenges: `/var/lib/${description.name}/acme`,
  inServer: [],
  upstream: 'web',
  wayIn: '# By Unix sockets, which only this group opens: nothing of it is on a network.',
  nextReplica: false,
})

const inContainer = ({ ports }: Description): Omit<Variant, 'path' | 'host' | 'listen'> => ({
  process: ['daemon off', 'pid /tmp/nginx.pid', 'error_log /dev/stderr warn'],
  around: [
    'access_log /dev/stdout own',
    '# The root of the container is read-only.',
    ...['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((kind) => `${kind}_temp_path /tmp/${kind}`),
    '',
    '# Written when the container starts. Each request goes to who is there now: replicas come and go.',
    `include ${resolverFile}`,
  ],
  inServer: [`set $web web:${ports.http}`],
  upstream: '$web',
  wayIn:
    '# In clear, on a network that nobody is in but nginx and the web processes: docs/deploy/tls.md says how it is encrypted.',
  nextReplica: true,
  ipv6: false,
})

export const composeVariant = (description: Description): Variant => ({
  ...inContainer(description),
  path: 'deploy/nginx/compose.conf',
  host: hostOf('compose-production', description.host),
  listen: containerPorts,
  certificate: containerCertificate,
})

export const developmentVariant = (description: Description): Variant => ({
  ...inContainer(description),
  path: 'deploy/nginx/development.conf',
  host: 'localhost',
  listen: { clear: containerPorts.clear },
})
