import { type Description, redisAccess } from '../../description/index.ts'
import { type Artefact, rendered, type Target } from '../target.ts'

/** Where limits are counted for all web processes: a few numbers for each caller, for fifteen minutes. */
export const redis: Target = {
  name: 'redis',
  about: 'Redis for the limits of all web processes: who may do what, how much memory, nothing on disk',
  render: (description) => [
    file('host', { ...description, bind: '127.0.0.1 -::1', tls: false }),
    file('tls', { ...description, bind: '* -::*', tls: true }),
    { path: 'deploy/redis/acl.sh', text: aclScript(description), executable: true },
  ],
}

interface Options extends Pick<Description, 'name' | 'ports' | 'redis'> {
  readonly bind: string
  readonly tls: boolean
}

const file = (place: string, options: Options): Artefact => ({
  path: `deploy/redis/${place}.conf`,
  text: `${rendered()}${linesOf(options).join('\n')}\n`,
})

const linesOf = ({ name, ports, redis: { settings }, bind, tls }: Options): readonly string[] => [
  `bind ${bind}`,
  ...(tls ? overTls(name, ports.redis) : inThisHost(ports.redis)),
  'protected-mode yes',
  '# Nobody without a name, and who has one may do what the service does and nothing else: acl.sh writes this file.',
  `aclfile /etc/${name}/redis.acl`,
  ...settings.flatMap(({ name: setting, value, why }) => [
    ...(why ? ['', ...why.split('\n').map((line) => `# ${line}`)] : []),
    `${setting} ${value || '""'}`,
  ]),
  '',
  'daemonize no',
  'loglevel notice',
  'logfile ""',
]

const inThisHost = (port: number): readonly string[] => [
  '# In clear, on loopback only. On a machine of its own, or where other users of this one must not listen: tls.conf.',
  `port ${port}`,
]

/** On a machine of its own. */
const overTls = (name: string, port: number): readonly string[] => [
  'port 0',
  `tls-port ${port}`,
  `tls-cert-file /etc/${name}/tls/redis.pem`,
  `tls-key-file /etc/${name}/tls/redis.key`,
  `tls-ca-cert-file /etc/${name}/tls/ca.pem`,
  '# The service shows its password, not a certificate.',
  'tls-auth-clients no',
  'tls-protocols "TLSv1.2 TLSv1.3"',
]

const aclScript = ({ name, redis: use }: Description): string => `#!/bin/sh
${rendered()}# Writes the users of Redis from the password on the first line of its input; the file holds its hash only:
#   sh acl.sh </run/secrets/redis-password >/etc/${name}/redis.acl
set -eu
IFS= read -r password || [ -n "$password" ]
[ "\${#password}" -ge 16 ] || { echo "The password must have 16 characters or more." >&2; exit 1; }
hash="$(printf %s "$password" | sha256sum | cut -d' ' -f1)"
${redisAccess(use, use.user, '$hash')
  .map((line) => `echo "${line}"`)
  .join('\n')}
`
