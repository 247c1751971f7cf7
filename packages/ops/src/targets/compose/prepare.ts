import { type Description, hostOf, redisAccess, roles, secretsOf } from '../../description/index.ts'
import { rendered } from '../target.ts'
import { OWNER } from './neighbours.ts'
import { secretName } from './processes.ts'

/** Those that are not simply random. */
const composed = ['DATABASE_URL', 'REDIS_URL', 'SMTP_URL']

/** Makes what a machine keeps for itself, once: running it again makes only what is missing. */
export function prepareScript(about: Description): string {
  const { name, ports, redis } = about
  const secrets = roles.flatMap((role) => secretsOf(about, 'compose-production', role))
  const random = [...new Set(secrets)].filter((setting) => !composed.includes(setting))
  return `#!/bin/sh
${rendered()}# Makes the secrets and the certificates of this machine for compose, in deploy/secrets and deploy/tls. What is there stays.
# Keep a copy of deploy/secrets elsewhere: without encryption_key what is sealed in the database is lost.
#   sh deploy/prepare-compose.sh            what is missing
#   sh deploy/prepare-compose.sh renew      new certificates for PostgreSQL and Redis; restart both afterwards
set -eu
cd "$(dirname "$0")"
command -v openssl >/dev/null || { echo "openssl is missing. HINT: apt-get install openssl" >&2; exit 1; }

# Whoever runs in a container has a number of its own and must be able to read its files; nobody else gets past the folders.
umask 077
mkdir -p secrets tls
chmod 700 secrets tls

keep() {
  [ -e "secrets/$1" ] || printf '%s\\n' "$2" >"secrets/$1"
  chmod 444 "secrets/$1"
}
new() { openssl rand -hex 32; }

${random.map((setting) => `keep ${secretName(setting)} "$(new)"`).join('\n')}
keep database_password "$(new)"
keep database_url "postgresql://${OWNER}:$(cat secrets/database_password)@database:${ports.database}/${name}"
keep redis_url "rediss://${redis.user}:$(new)@redis:${ports.redis}"
redis_user="$(sed 's|^rediss://\\([^:]*\\):.*|\\1|' secrets/redis_url)"
redis_password="$(sed 's/.*:\\([0-9a-f]*\\)@.*/\\1/' secrets/redis_url)"
redis_hash="$(printf %s "$redis_password" | openssl dgst -sha256 -r | cut -c1-64)"
# Who has not signed in may nothing. Processes count limits; \`probe\`, which has no password, hears whether Redis is there.
rm -f secrets/redis_acl
keep redis_acl "${redisAccess(redis, '$redis_user', '$redis_hash').join('\n')}"
# smtps://user:password@mail.example.com; empty keeps mail in the database, for \`seaworthy mail list\`.
keep smtp_url ""

if [ "\${1:-}" = renew ]; then
  rm -f tls/database.pem tls/redis.pem
fi
curve="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
if [ ! -e tls/ca.pem ]; then
  # shellcheck disable=SC2086
  openssl req -x509 -days 3650 $curve -subj "/CN=${name} on $(uname -n)" -keyout tls/ca.key -out tls/ca.pem 2>/dev/null
fi
sign() {
  [ ! -e "tls/$1.pem" ] || return 0
  # shellcheck disable=SC2086
  openssl req $curve -subj "/CN=$2" -keyout "tls/$1.key" -out "tls/$1.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s\\n' "$2" >tls/names
  openssl x509 -req -days 825 -in "tls/$1.csr" -CA tls/ca.pem -CAkey tls/ca.key -CAcreateserial -extfile tls/names \\
    -out "tls/$1.pem" 2>/dev/null
  rm -f "tls/$1.csr" tls/names
}
sign database database
sign redis redis
if [ ! -e tls/proxy.pem ]; then
  sign proxy "\${PUBLIC_HOST:-${hostOf('compose-production', about.host)}}"
  echo "tls/proxy.pem is signed by this machine only: put a certificate that browsers know there, and its key." >&2
fi
chmod 444 tls/*.pem tls/database.key tls/redis.key tls/proxy.key
chmod 400 tls/ca.key
echo "deploy/secrets and deploy/tls are ready"
`
}
