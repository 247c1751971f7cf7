import type { Clock } from '@seaworthy/core'

/** A class of requests that share a limit: `max` in any window of `windowMs`, per caller or per network. */
export interface Rate {
  readonly kind: 'rate'
  /** With the app's name in front: `cosnap.upload`. */
  readonly name: string
  readonly max: number
  readonly windowMs: number
  /** What the bucket belongs to. A caller's own when signed in; `network` always counts the address. */
  readonly per: 'caller' | 'network'
  /** The setting that overrides `max`, as the documents name it. */
  readonly setting?: RateSetting
  /**
   * Each request is counted in the store that all processes share, so the limit also holds over restarts. Otherwise
   * processes take batches out of the store and count in memory.
   */
  readonly strict: boolean
}

export type RateSetting = 'rateMax' | 'rateAuthMax' | 'rateUploadMax' | 'rateEffectsMax'

/** Where so few are allowed, each one counts; where more are, a request must not wait for a store. */
const STRICT_MAX = 60

/** Written out where a route means to have none. */
export const unlimited = { kind: 'unlimited' } as const
export type RateClass = Rate | typeof unlimited

export function rate(
  name: string,
  max: number,
  windowMs: number,
  options: { readonly per?: Rate['per']; readonly setting?: RateSetting; readonly strict?: boolean } = {},
): Rate {
  return {
    kind: 'rate',
    name,
    max,
    windowMs,
    per: options.per ?? 'caller',
    strict: options.strict ?? max <= STRICT_MAX,
    ...(options.setting ? { setting: options.setting } : {}),
  }
}

export interface RateDecision {
  readonly allowed: boolean
  readonly limit: number
  readonly remaining: number
  /** Seconds until the window ends, at least 1. */
  readonly resetSeconds: number
}

export interface RateLimiter {
  /** Synchronous where it is counted in memory: a promise costs more than the counting. */
  take(rate: Rate, key: string): RateDecision | Promise<RateDecision>
}

export interface MemoryLimiter extends RateLimiter {
  take(rate: Rate, key: string): RateDecision
}

interface Window {
  started: number
  used: number
}

export const KEYS_MAX = 100_000

/**
 * Exact fixed windows in this process's memory: request N+1 of a window is refused, the next window starts clean.
 * At most 100,000 keys per class are held; the oldest window goes first.
 */
export function createMemoryLimiter(clock: Clock, shares = 1): MemoryLimiter {
  const classes = new Map<string, Map<string, Window>>()
  return {
    take: (rate, key) => {
      const windows = classes.get(rate.name) ?? new Map<string, Window>()
      classes.set(rate.name, windows)
      return takeFrom(windows, Math.max(1, Math.floor(rate.max / shares)), rate.windowMs, key, clock.now())
    },
  }
}

function takeFrom(windows: Map<string, Window>, max: number, windowMs: number, key: string, now: number): RateDecision {
  let window = windows.get(key)
  if (!window || now - window.started >= windowMs) {
    windows.delete(key)
    if (windows.size >= KEYS_MAX) forgetOldest(windows)
    window = { started: now, used: 0 }
    windows.set(key, window)
  }
  const allowed = window.used < max
  if (allowed) window.used++
  const resetSeconds = Math.max(1, Math.ceil((window.started + windowMs - now) / 1_000))
  return { allowed, limit: max, remaining: max - window.used, resetSeconds }
}

/** A map keeps the order of insertion, and a new window is inserted anew: the first key is the oldest window. */
function forgetOldest(windows: Map<string, Window>): void {
  const oldest = windows.keys().next().value
  if (oldest !== undefined) windows.delete(oldest)
}
