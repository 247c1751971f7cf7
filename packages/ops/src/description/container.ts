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

/** How a container is asked whether it works, in seconds. The first answers may be late: a start waits for the database. */
export const healthCheck = { every: 10, timeout: 5, retries: 3, startPeriod: 60 } as const
