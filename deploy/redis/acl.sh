#!/bin/sh
# Rendered from the definition by `seaworthy render`. Your own changes: edit, then `seaworthy render --keep`.
# Writes the users of Redis from the password on the first line of its input; the file holds its hash only:
#   sh acl.sh </run/secrets/redis-password >/etc/seaworthy/redis.acl
set -eu
IFS= read -r password || [ -n "$password" ]
[ "${#password}" -ge 16 ] || { echo "The password must have 16 characters or more." >&2; exit 1; }
hash="$(printf %s "$password" | sha256sum | cut -d' ' -f1)"
echo "user default off"
echo "user probe on nopass resetkeys resetchannels -@all +ping"
echo "user seaworthy on #$hash resetkeys ~seaworthy:rate:* resetchannels -@all +evalsha +eval +hmget +hset +pexpire +ping +info +client|setname"
