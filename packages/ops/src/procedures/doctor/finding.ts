/**
 * What a look at one thing gave. `bad`: people notice or will today. `warn`: somebody should act this week. `unknown`:
 * it could not be looked at. `none`: there is no such thing here, or not now.
 */
export type Verdict = 'ok' | 'warn' | 'bad' | 'unknown' | 'none'

export interface Finding {
  readonly verdict: Verdict
  /** What was seen, in one sentence. */
  readonly found: string
  /** What to do next: a command where there is one. */
  readonly next?: string
}

export const good = (found: string): Finding => ({ verdict: 'ok', found })
export const none = (found: string): Finding => ({ verdict: 'none', found })
export const warn = (found: string, next: string): Finding => ({ verdict: 'warn', found, next })
export const bad = (found: string, next: string): Finding => ({ verdict: 'bad', found, next })
export const unknown = (found: string, next: string): Finding => ({ verdict: 'unknown', found, next })

/** A fault: something that a runbook may name as the reason. */
export const isFault = ({ verdict }: Finding): boolean => verdict === 'bad' || verdict === 'warn'
