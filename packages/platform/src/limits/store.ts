/** What is asked of a store for one key. Times are milliseconds since 1970. */
export interface Ask {
  readonly max: number
  readonly windowMs: number
  /** At most so many are taken. */
  readonly want: number
  readonly now: number
}

export interface Grant {
  /** From 0 to what was wanted. */
  readonly granted: number
  /** Of the window, by all processes, with this grant. */
  readonly used: number
  readonly startedMs: number
}

/** Fixed windows that all processes share: one statement takes, atomically, and never more than `max` in a window. */
export interface RateStore {
  readonly name: 'postgresql' | 'redis'
  take(key: string, ask: Ask): Promise<Grant>
  /** What was taken and not used; nothing when its window is over. */
  giveBack(key: string, startedMs: number, count: number): Promise<void>
  /** Resolves when it answers. */
  ping(): Promise<void>
  close(): Promise<void>
}
