import { rendered } from '../target.ts'

/** Builds the image and brings it to a registry; what is deployed later is named by the digest that this prints. */
export const publishImage = `#!/bin/sh
${rendered()}# Builds the image of this commit and pushes it, with podman or docker. Prints name, digest and image, for GitHub as outputs:
#   REGISTRY=ghcr.io IMAGE_NAME=owner/name REGISTRY_USER=... REGISTRY_TOKEN=... sh deploy/publish-image.sh
set -eu
: "\${REGISTRY:?such as ghcr.io}" "\${IMAGE_NAME:?owner/name}" "\${REGISTRY_USER:?}" "\${REGISTRY_TOKEN:?}"
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
  digest="\${digest#*@}"
fi
printf 'name=%s\\ndigest=%s\\nimage=%s@%s\\n' "$name" "$digest" "$name" "$digest" | tee -a "\${GITHUB_OUTPUT:-/dev/null}"
`

/** Only an image that a workflow of this repository built is deployed, whoever asks for it. */
export const verifyImage = `#!/bin/sh
${rendered()}# Asks GitHub whether IMAGE was built by a workflow of this repository. Needs docker, gh and GH_TOKEN; for a private image
# also REGISTRY_USER and REGISTRY_TOKEN.
set -eu
: "\${IMAGE:?the image by its digest}" "\${GITHUB_REPOSITORY:?owner/name}"
case "\${IMAGE##*@}" in
  sha256:????????????????????????????????????????????????????????????????) ;;
  *)
    echo "IMAGE must be named by its digest: ghcr.io/owner/name@sha256:..." >&2
    exit 2
    ;;
esac
if [ -n "\${REGISTRY_TOKEN:-}" ]; then
  printf '%s' "$REGISTRY_TOKEN" | docker login --username "$REGISTRY_USER" --password-stdin "\${IMAGE%%/*}"
fi
exec gh attestation verify "oci://$IMAGE" --repo "$GITHUB_REPOSITORY"
`

/** Who deploys on a host needs no password there: the token of the job, for as long as it takes to pull. */
export const fetchImage = `#!/bin/sh
${rendered()}# Brings IMAGE to this host, with podman or docker, for \`seaworthy deploy "$IMAGE"\`; for a private image with REGISTRY_USER and
# REGISTRY_TOKEN, of which nothing is kept.
set -eu
: "\${IMAGE:?the image by its digest: ghcr.io/owner/name@sha256:...}"
engine=podman
command -v podman >/dev/null 2>&1 || engine=docker

keys="$(mktemp -d)"
trap 'rm -rf "$keys"' EXIT
if [ -n "\${REGISTRY_TOKEN:-}" ]; then
  export DOCKER_CONFIG="$keys" REGISTRY_AUTH_FILE="$keys/config.json"
  printf '%s' "$REGISTRY_TOKEN" | "$engine" login --username "$REGISTRY_USER" --password-stdin "\${IMAGE%%/*}"
fi
"$engine" pull --quiet "$IMAGE"
`
