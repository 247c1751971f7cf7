/** How the image is made, for everything that runs it. */
export const container = {
  /** Numeric, so that a cluster sees that it is not root. */
  user: 10_001,
  /** Where the checkout is in the image. */
  directory: '/app',
  /** The only place that outlives a container. */
  dataDirectory: '/data',
  /** What a process may write besides. */
  scratchDirectory: '/tmp',
  /** Commands of the image, from `directory` on. */
  start: ['node', 'packages/cli/bin/seaworthy.js', 'start'],
  migrate: ['node', 'packages/cli/bin/seaworthy.js', 'migrate'],
  health: ['node', 'packages/cli/bin/seaworthy.js', 'health'],
} as const

/** What no container of ours needs, and none gets: compose writes it down, a deploy of one host gives it to podman or docker. */
export const hardening = {
  readOnly: true,
  dropped: ['ALL'],
  securityOptions: ['no-new-privileges:true'],
} as const

const SCRATCH_MIB = 64

/** The folder for scratch, in memory, as an engine is told it. */
export const scratch = `${container.scratchDirectory}:mode=1777,size=${SCRATCH_MIB}m`

/** What is kept of what a container writes, where an engine keeps it. */
export const containerLogs = { fileMiB: 10, files: 5 } as const

/** A stop that was asked for is given this much longer than the processes give themselves. */
export const stopGraceSeconds = ({ shutdownSeconds }: { readonly shutdownSeconds: number }): number =>
  shutdownSeconds + GRACE_SECONDS

const GRACE_SECONDS = 10

/** How a container is asked whether it works, in seconds. The first answers may be late: a start waits for the database. */
export const healthCheck = { every: 10, timeout: 5, retries: 3, startPeriod: 60 } as const
