import { DAY, MINUTE, SECOND } from '@seaworthy/core'

/** How often a secret may be guessed. */
export interface TryPolicy {
  /** Failures in a row before the first wait. */
  readonly free: number
  /** Tries in a window, whatever the waits. */
  readonly max: number
  readonly windowMs: number
  /** The first wait; each further failure doubles it. */
  readonly baseMs: number
  readonly ceilingMs: number
}

/** What is known of earlier tries. */
export interface Tries {
  /** In a row. */
  readonly failures: number
  readonly windowMs: number
  readonly used: number
  readonly lastMs: number
}

export type TryJudgement =
  | { readonly allowed: true; readonly after: Tries }
  | { readonly allowed: false; readonly retryMs: number }

const WINDOW = 15 * MINUTE
/** After so long without a try, earlier failures count no more. */
const FORGOTTEN_MS = DAY

/** From everybody whom the account does not know: all of them together. */
export const strangers: TryPolicy = { free: 5, max: 20, windowMs: WINDOW, baseMs: SECOND, ceilingMs: WINDOW }
/** From one device that signed in to this account before: strangers cannot use it up. */
export const knownDevice: TryPolicy = { ...strangers, max: 10 }
/** Codes of six digits: five tries, then the window. */
export const codes: TryPolicy = { ...strangers, max: 5 }

/** Whether one more try is allowed now, and what is then known. A refused try changes nothing. */
export function judgeTry(policy: TryPolicy, before: Tries | undefined, now: number): TryJudgement {
  const known = before && now - before.lastMs < FORGOTTEN_MS ? before : fresh(now)
  const inWindow = now - known.windowMs < policy.windowMs
  const used = inWindow ? known.used : 0
  const waitMs = known.lastMs + delayAfter(policy, known.failures) - now
  const windowLeftMs = used >= policy.max ? known.windowMs + policy.windowMs - now : 0
  const retryMs = Math.max(waitMs, windowLeftMs)
  if (retryMs > 0) return { allowed: false, retryMs }
  return {
    allowed: true,
    after: {
      failures: known.failures + 1,
      windowMs: inWindow ? known.windowMs : now,
      used: used + 1,
      lastMs: now,
    },
  }
}

/** How long to wait after so many failures in a row, in milliseconds. */
export function delayAfter({ free, baseMs, ceilingMs }: TryPolicy, failures: number): number {
  return failures < free ? 0 : Math.min(ceilingMs, baseMs * 2 ** (failures - free))
}

const fresh = (now: number): Tries => ({ failures: 0, windowMs: now, used: 0, lastMs: now })
