#!/bin/sh
# Rendered from the definition by `seaworthy render`. Your own changes: edit, then `seaworthy render --keep`.
# Builds registry.example.com/seaworthy:0.1.0 from what is committed, with podman or docker, and prints its digest.
#   NODE_IMAGE=docker.io/library/node@sha256:... sh deploy/build-image.sh     pins the base by its digest
#   sh deploy/build-image.sh --no-cache                                      more options for the builder
set -eu
cd "$(dirname "$0")/.."

tag="${IMAGE:-registry.example.com/seaworthy}:${VERSION:-0.1.0}"
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH
set -- "$@" --file deploy/Dockerfile --tag "$tag" \
  --build-arg "REVISION=$(git rev-parse HEAD)" \
  --build-arg "CREATED=$(TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)"
[ -z "${NODE_IMAGE:-}" ] || set -- "$@" --build-arg "NODE_IMAGE=$NODE_IMAGE"

if command -v podman >/dev/null 2>&1; then
  # The format of Docker: that of OCI has no place for the health check.
  podman build --format docker --timestamp "$SOURCE_DATE_EPOCH" "$@" .
  podman image inspect --format '{{.Id}}' "$tag"
else
  docker buildx build --load --provenance false --output type=docker,rewrite-timestamp=true "$@" .
  docker image inspect --format '{{.Id}}' "$tag"
fi
