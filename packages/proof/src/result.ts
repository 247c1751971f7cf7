import type { Observation } from './claim.ts'
import type { Reading, VerdictName } from './verdict.ts'

/** What came of one claim. */
export interface ClaimResult {
  readonly id: string
  readonly says: string
  readonly verdict: VerdictName
  /** Why it could not be tested, or what of the experiment did not happen. */
  readonly why?: string
  readonly readings: readonly Reading[]
  readonly evidence: readonly string[]
  readonly met: Readonly<Record<string, boolean>>
  readonly run?: NonNullable<Observation['run']>
  readonly witness: string
  readonly answers: readonly string[]
  readonly seconds: number
  readonly sabotages: readonly SabotageResult[]
  /** When it was measured, ISO 8601. */
  readonly at: string
  /** Of the product that was judged. */
  readonly commit: string
}

/** Caught: the sabotaged stack ran, the fault happened, and the claim's own number refuted it. All else survived. */
export interface SabotageResult {
  readonly name: string
  readonly caught: boolean
  /** The number that betrayed it, or why it was not caught. */
  readonly how: string
}

export interface Report {
  readonly startedAt: string
  readonly seconds: number
  readonly seed: number
  readonly commit: string
  readonly machine: Machine
  readonly results: readonly ClaimResult[]
}

export interface Machine {
  readonly os: string
  readonly cpu: string
  readonly cores: number
  readonly memoryGiB: number
  readonly node: string
  readonly programs: Readonly<Record<string, string>>
}

export const killRateOf = (results: readonly ClaimResult[]): { caught: number; all: number } => {
  const all = results.flatMap((result) => result.sabotages)
  return { caught: all.filter((sabotage) => sabotage.caught).length, all: all.length }
}
