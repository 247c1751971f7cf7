import { randomInt } from 'node:crypto'
import { fault, pause } from '@seaworthy/core'
import type { Logger } from '../telemetry/index.ts'

/** Work that an answer does not wait for, so that the time of the answer says nothing about it. */
export interface Background {
  /** Throws `unavailable` when too much waits already. */
  start(work: () => Promise<void>): void
  /** Resolves when all that was started is done. */
  settle(): Promise<void>
}

const WAITING_MAX = 200
/** It begins at a moment that has nothing to do with the answer. In milliseconds. */
const DELAY_MIN_MS = 20
const DELAY_MAX_MS = 150

export function createBackground(log: Logger): Background {
  const open = new Set<Promise<void>>()
  return {
    start: (work) => {
      if (open.size >= WAITING_MAX) throw fault('unavailable', { retryAfterSeconds: 2 })
      const done = pause(randomInt(DELAY_MIN_MS, DELAY_MAX_MS))
        .then(work)
        .catch((error: unknown) =>
          log.error('what a person asked for could not be done', { runbook: 'requests-fail', error }),
        )
        .finally(() => open.delete(done))
      open.add(done)
    },
    settle: async () => {
      await Promise.all(open)
    },
  }
}
