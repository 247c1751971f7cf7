import { container, type Description, healthCheck } from '../../description/index.ts'

const [program, launcher, ...start] = container.start
const quoted = (words: readonly string[]): string => JSON.stringify(words).replaceAll(',', ', ')

/** Built where the tools are; the image holds Node, its libraries and what was built, and neither shell nor tools. */
export const dockerfile = (description: Description): string => `
# A tag, as no digest can be known here. Pin one: --build-arg NODE_IMAGE=docker.io/library/node@sha256:...
ARG NODE_IMAGE=docker.io/library/node:24-bookworm-slim

# What says which packages are needed, apart from the sources: the packages are installed again only when it changes.
FROM \${NODE_IMAGE} AS manifests
WORKDIR /src
COPY . .
RUN find . -type f ! -name package.json ! -name package-lock.json -delete && find . -type d -empty -delete

FROM \${NODE_IMAGE} AS packages
WORKDIR /src
COPY --from=manifests /src .
# No install scripts: nothing that is fetched runs before it is needed.
RUN npm ci --ignore-scripts --no-audit --no-fund

FROM packages AS build
COPY . .
ARG REVISION=unknown
RUN SOURCE_COMMIT=\${REVISION} node packages/cli/bin/seaworthy.js build

FROM build AS contents
# Open to everybody here already: some runtimes give a file system in memory the mode of the folder below it.
RUN mkdir -p /empty /contents && mkdir -m 1777 /contents${container.scratchDirectory} && node scripts/assemble.js /contents

FROM scratch
ARG NODE_IMAGE
ARG REVISION=unknown
ARG CREATED
LABEL ${labels(description).join(' \\\n      ')}
COPY --from=contents /contents /
COPY --from=contents --chown=${container.user}:${container.user} /empty ${container.dataDirectory}
ENV NODE_ENV=production HOST=0.0.0.0 DATA_DIR=${container.dataDirectory}
WORKDIR ${container.directory}
USER ${container.user}:${container.user}
VOLUME ["${container.dataDirectory}"]
EXPOSE ${description.ports.http} ${description.ports.admin}
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=${healthCheck.every}s --timeout=${healthCheck.timeout}s --start-period=${healthCheck.startPeriod}s --retries=${healthCheck.retries} \\
  CMD ${quoted(container.health)}
ENTRYPOINT ${quoted([program, launcher])}
CMD ${quoted(start)}
`

function labels({ title, version, licence, source }: Description): readonly string[] {
  const values = {
    title,
    description: `${title}: web processes, workers and migrations`,
    version,
    revision: `\${REVISION}`,
    created: `\${CREATED}`,
    source,
    licenses: licence,
    'base.name': `\${NODE_IMAGE}`,
  }
  return Object.entries(values).map(([name, value]) => `org.opencontainers.image.${name}="${value}"`)
}
