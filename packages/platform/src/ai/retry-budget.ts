/**
 * How many tries may be tries again: one in ten, and a few at the start. When everything fails, trying again would only
 * multiply what a failing engine is asked.
 */
export interface RetryBudget {
  /** For each first try. */
  earn(): void
  /** Whether one more may be made now. */
  take(): boolean
}

const SHARE = 0.1
const MOST = 10

export function createRetryBudget(): RetryBudget {
  let left = MOST
  return {
    earn: () => {
      left = Math.min(MOST, left + SHARE)
    },
    take: () => {
      if (left < 1) return false
      left--
      return true
    },
  }
}
