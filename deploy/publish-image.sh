#!/bin/sh
# Rendered from the definition by `seaworthy render`. Your own changes: edit, then `seaworthy render --keep`.
# Builds the image of this commit and pushes it, with podman or docker. Prints name, digest and image, for GitHub as outputs:
#   REGISTRY=ghcr.io IMAGE_NAME=owner/name REGISTRY_USER=... REGISTRY_TOKEN=... sh deploy/publish-image.sh
set -eu
: "${REGISTRY:?such as ghcr.io}" "${IMAGE_NAME:?owner/name}" "${REGISTRY_USER:?}" "${REGISTRY_TOKEN:?}"
cd "$(dirname "$0")/.."

name="$REGISTRY/$(printf '%s' "$IMAGE_NAME" | tr '[:upper:]' '[:lower:]')"
version="$(git rev-parse HEAD)"
IMAGE="$name" VERSION="$version" sh deploy/build-image.sh
if command -v podman >/dev/null 2>&1; then
  # Where docker keeps it too: the attestation is pushed with it.
  mkdir -p "$HOME/.docker"
  printf '%s' "$REGISTRY_TOKEN" |
    podman login --authfile "$HOME/.docker/config.json" --username "$REGISTRY_USER" --password-stdin "$REGISTRY"
  digestfile="$(mktemp)"
  podman push --authfile "$HOME/.docker/config.json" --digestfile "$digestfile" "$name:$version"
  digest="$(cat "$digestfile")"
else
  printf '%s' "$REGISTRY_TOKEN" | docker login --username "$REGISTRY_USER" --password-stdin "$REGISTRY"
  docker push "$name:$version"
  digest="$(docker image inspect --format '{{index .RepoDigests 0}}' "$name:$version")"
  digest="${digest#*@}"
fi
printf 'name=%s\ndigest=%s\nimage=%s@%s\n' "$name" "$digest" "$name" "$digest" | tee -a "${GITHUB_OUTPUT:-/dev/null}"
