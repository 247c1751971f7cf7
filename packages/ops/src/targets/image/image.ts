import type { Description } from '../../description/index.ts'
import { rendered, type Target } from '../target.ts'
import { dockerfile } from './dockerfile.ts'

/** The image that every container runs, whatever its role. */
export const image: Target = {
  name: 'image',
  about: 'the container image: Dockerfile, what is sent to its build, and the build in one command',
  render: (description) => [
    { path: 'deploy/Dockerfile', text: rendered() + dockerfile(description) },
    { path: '.dockerignore', text: rendered() + dockerignore },
    { path: 'deploy/build-image.sh', text: buildScript(description), executable: true },
  ],
}

/** Nothing is sent to the build but what it needs: no history, no data, no settings, and nothing that was installed here. */
const dockerignore = `*
!LICENSE
!package.json
!package-lock.json
!seaworthy.config.ts
!tsconfig.base.json
!tsconfig.build.json
!tsconfig.system.json
!apps
!bench/package.json
!packages
!scripts/assemble.js
!scripts/build.js
!scripts/build-lock.js
!scripts/prerender.js
!web
**/.env*
**/.seaworthy
**/*.test.ts
**/*.test.tsx
**/*.tsbuildinfo
**/dist
**/node_modules
packages/proof/wreck
`

/** The same commit gives the same image: every time in it is that of the commit. */
const buildScript = ({ image: name, version }: Description): string => `#!/bin/sh
${rendered()}# Builds ${name}:${version} from what is committed, with podman or docker, and prints its digest.
#   NODE_IMAGE=docker.io/library/node@sha256:... sh deploy/build-image.sh     pins the base by its digest
#   sh deploy/build-image.sh --no-cache                                      more options for the builder
set -eu
cd "$(dirname "$0")/.."

tag="\${IMAGE:-${name}}:\${VERSION:-${version}}"
SOURCE_DATE_EPOCH="$(git log -1 --format=%ct)"
export SOURCE_DATE_EPOCH
set -- "$@" --file deploy/Dockerfile --tag "$tag" \\
  --build-arg "REVISION=$(git rev-parse HEAD)" \\
  --build-arg "CREATED=$(TZ=UTC0 git log -1 --date=format-local:%Y-%m-%dT%H:%M:%SZ --format=%cd)"
[ -z "\${NODE_IMAGE:-}" ] || set -- "$@" --build-arg "NODE_IMAGE=$NODE_IMAGE"

if command -v podman >/dev/null 2>&1; then
  # The format of Docker: that of OCI has no place for the health check.
  podman build --format docker --timestamp "$SOURCE_DATE_EPOCH" "$@" .
  podman image inspect --format '{{.Id}}' "$tag"
else
  docker buildx build --load --provenance false --output type=docker,rewrite-timestamp=true "$@" .
  docker image inspect --format '{{.Id}}' "$tag"
fi
`
