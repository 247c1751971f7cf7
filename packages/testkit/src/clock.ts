import type { Clock } from '@seaworthy/core'

/** A clock that stands until it is turned. */
export function turnableClock(startMs = Date.UTC(2026, 0, 1)): Clock & { turn(ms: number): void } {
  let now = startMs
  return {
    now: () => now,
    turn: (ms) => {
      now += ms
    },
  }
}
