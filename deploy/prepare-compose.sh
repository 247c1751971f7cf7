#!/bin/sh
# Rendered from the definition by `seaworthy render`. Your own changes: edit, then `seaworthy render --keep`.
# Makes the secrets and the certificates of this machine for compose, in deploy/secrets and deploy/tls. What is there stays.
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
  [ -e "secrets/$1" ] || printf '%s\n' "$2" >"secrets/$1"
  chmod 444 "secrets/$1"
}
new() { openssl rand -hex 32; }

keep database_role_secret "$(new)"
keep encryption_key "$(new)"
keep jwt_access_secret "$(new)"
keep jwt_refresh_secret "$(new)"
keep audit_secret "$(new)"
keep media_url_secret "$(new)"
keep database_password "$(new)"
keep database_url "postgresql://owner:$(cat secrets/database_password)@database:5432/seaworthy"
keep redis_url "rediss://seaworthy:$(new)@redis:6379"
redis_user="$(sed 's|^rediss://\([^:]*\):.*|\1|' secrets/redis_url)"
redis_password="$(sed 's/.*:\([0-9a-f]*\)@.*/\1/' secrets/redis_url)"
redis_hash="$(printf %s "$redis_password" | openssl dgst -sha256 -r | cut -c1-64)"
# Who has not signed in may nothing. Processes count limits; `probe`, which has no password, hears whether Redis is there.
rm -f secrets/redis_acl
keep redis_acl "user default off
user probe on nopass resetkeys resetchannels -@all +ping
user $redis_user on #$redis_hash resetkeys ~seaworthy:rate:* resetchannels -@all +evalsha +eval +hmget +hset +pexpire +ping +info +client|setname"
# smtps://user:password@mail.example.com; empty keeps mail in the database, for `seaworthy mail list`.
keep smtp_url ""

if [ "${1:-}" = renew ]; then
  rm -f tls/database.pem tls/redis.pem
fi
curve="-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
if [ ! -e tls/ca.pem ]; then
  # shellcheck disable=SC2086
  openssl req -x509 -days 3650 $curve -subj "/CN=seaworthy on $(uname -n)" -keyout tls/ca.key -out tls/ca.pem 2>/dev/null
fi
sign() {
  [ ! -e "tls/$1.pem" ] || return 0
  # shellcheck disable=SC2086
  openssl req $curve -subj "/CN=$2" -keyout "tls/$1.key" -out "tls/$1.csr" 2>/dev/null
  printf 'subjectAltName=DNS:%s\n' "$2" >tls/names
  openssl x509 -req -days 825 -in "tls/$1.csr" -CA tls/ca.pem -CAkey tls/ca.key -CAcreateserial -extfile tls/names \
    -out "tls/$1.pem" 2>/dev/null
  rm -f "tls/$1.csr" tls/names
}
sign database database
sign redis redis
if [ ! -e tls/proxy.pem ]; then
  sign proxy "${PUBLIC_HOST:-app.example.com}"
  echo "tls/proxy.pem is signed by this machine only: put a certificate that browsers know there, and its key." >&2
fi
chmod 444 tls/*.pem tls/database.key tls/redis.key tls/proxy.key
chmod 400 tls/ca.key
echo "deploy/secrets and deploy/tls are ready"
