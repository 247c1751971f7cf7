#!/bin/sh
# Rendered from the definition by `seaworthy render`. Your own changes: edit, then `seaworthy render --keep`.
# Asks GitHub whether IMAGE was built by a workflow of this repository. Needs docker, gh and GH_TOKEN; for a private image
# also REGISTRY_USER and REGISTRY_TOKEN.
set -eu
: "${IMAGE:?the image by its digest}" "${GITHUB_REPOSITORY:?owner/name}"
case "${IMAGE##*@}" in
  sha256:????????????????????????????????????????????????????????????????) ;;
  *)
    echo "IMAGE must be named by its digest: ghcr.io/owner/name@sha256:..." >&2
    exit 2
    ;;
esac
if [ -n "${REGISTRY_TOKEN:-}" ]; then
  printf '%s' "$REGISTRY_TOKEN" | docker login --username "$REGISTRY_USER" --password-stdin "${IMAGE%%/*}"
fi
exec gh attestation verify "oci://$IMAGE" --repo "$GITHUB_REPOSITORY"
