#!/bin/sh
# Rendered from the definition by `seaworthy render`. Your own changes: edit, then `seaworthy render --keep`.
# Brings IMAGE to this host, with podman or docker, for `seaworthy deploy "$IMAGE"`; for a private image with REGISTRY_USER and
# REGISTRY_TOKEN, of which nothing is kept.
set -eu
: "${IMAGE:?the image by its digest: ghcr.io/owner/name@sha256:...}"
engine=podman
command -v podman >/dev/null 2>&1 || engine=docker

keys="$(mktemp -d)"
trap 'rm -rf "$keys"' EXIT
if [ -n "${REGISTRY_TOKEN:-}" ]; then
  export DOCKER_CONFIG="$keys" REGISTRY_AUTH_FILE="$keys/config.json"
  printf '%s' "$REGISTRY_TOKEN" | "$engine" login --username "$REGISTRY_USER" --password-stdin "${IMAGE%%/*}"
fi
"$engine" pull --quiet "$IMAGE"
