#!/bin/sh
# Installs the programs that judge the product in `npm run prove`, as root or by sudo on Debian and Ubuntu:
#   sh scripts/install-proof-tools.sh              all of them, and the HTTP Observatory scanner
#   sh scripts/install-proof-tools.sh nginx zzuf   only these packages
# The product needs none of it. Where systemd runs, Debian starts nginx and prometheus at once: proofs start their own, so
# `systemctl disable --now nginx prometheus` does no harm. The scanner goes into .seaworthy/tools, no part of node_modules.
set -eu
cd "$(dirname "$0")/.."

packages="chromium exiftool=libimage-exiftool-perl faketime git hey mkfs.ext4=e2fsprogs mount nginx openssl promtool=prometheus slowhttptest zzuf"
observatory="@mdn/mdn-http-observatory@1.4.8"
tools=".seaworthy/tools"

# Prints the packages whose program is not here; `program=package` where the names differ.
missing() {
  for entry in $packages; do
    program="${entry%%=*}"
    if PATH="$PATH:/usr/sbin:/usr/local/bin" command -v "$program" >/dev/null 2>&1; then
      echo "$program: found" >&2
    else
      echo "${entry#*=}"
    fi
  done
}

wanted="$*"
[ "$#" -gt 0 ] || wanted="$(missing)"
if [ -n "$wanted" ]; then
  if ! command -v apt-get >/dev/null 2>&1; then
    echo "There is no apt-get here. Install by hand: $wanted" >&2
    exit 1
  fi
  as_root=""
  [ "$(id -u)" = 0 ] || as_root="sudo"
  $as_root apt-get update -qq
  # shellcheck disable=SC2086
  $as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $wanted
fi
[ "$#" -eq 0 ] || exit 0

if [ -e "$tools/node_modules/@mdn/mdn-http-observatory/package.json" ]; then
  echo "HTTP Observatory: found"
  exit 0
fi
mkdir -p "$tools"
# Its install script would fetch two lists from the network; empty ones do, as nothing we scan is on them.
npm install --prefix "$tools" --ignore-scripts --no-audit --no-fund --no-save --loglevel error "$observatory"
conf="$tools/node_modules/@mdn/mdn-http-observatory/conf"
mkdir -p "$conf"
echo '{}' >"$conf/hsts-preload.json"
echo '["com","org","net","dev"]' >"$conf/tld-list.json"
echo "HTTP Observatory: installed in $tools"
