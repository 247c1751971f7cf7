import { backoffMs, pause } from '@seaworthy/core'

export interface ConnectPlan {
  readonly tries: number
  readonly signal?: AbortSignal
  /** Told after each failed try: its number, the wait before the next, and why. */
  readonly onFailure?: (attempt: number, waitMs: number, error: unknown) => void
  /** True for what no second try mends. */
  readonly isFinal?: (error: unknown) => boolean
}

const BASE_MS = 2_000
const MAX_MS = 30_000

/** Runs `attempt` until it succeeds: 10 tries with 2, 4, 8 ... 30 s between them, jittered. Throws the last failure. */
export async function connectWithRetries<T>(attempt: () => Promise<T>, plan: ConnectPlan): Promise<T> {
  for (let tries = 1; ; tries++) {
    try {
      return await attempt()
    } catch (error) {
      if (tries >= plan.tries || plan.signal?.aborted || plan.isFinal?.(error)) throw error
      const waitMs = backoffMs(tries, BASE_MS, MAX_MS)
      plan.onFailure?.(tries, waitMs, error)
      await pause(waitMs, plan.signal)
    }
  }
}
