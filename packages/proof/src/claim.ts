import type { ProgramName } from './rig/programs.ts'
import type { Rig } from './rig/rig.ts'
import type { Sabotage } from './sabotage.ts'

/** What a measured number must keep to. One bound, or two. */
export interface Limit {
  /** As it is shown: `ms`, `rows`, `answers`. */
  readonly unit: string
  readonly atMost?: number
  readonly atLeast?: number
}

export const atMost = (bound: number, unit: string): Limit => ({ unit, atMost: bound })
export const atLeast = (bound: number, unit: string): Limit => ({ unit, atLeast: bound })
export const exactly = (value: number, unit: string): Limit => ({ unit, atMost: value, atLeast: value })

/** `fast`: on every change. `full`: before a release. `soak`: over night. */
export type Tier = 'fast' | 'full' | 'soak'

/** One request of a run, for the plot: when it was meant to start, how long it took from then on, how it ended. */
export interface Sample {
  readonly atMs: number
  readonly ms: number
  readonly ok: boolean
}

/** What an experiment saw. */
export interface Observation<Measure extends string = string> {
  readonly measured: Readonly<Record<Measure, number>>
  /** That the fault really happened, the attack really arrived, the load really was there. All must be true. */
  readonly met: Readonly<Record<string, boolean>>
  /** What a reader wants to see: the first wrong answers, versions, settings. */
  readonly evidence?: readonly string[]
  /** Requests over time with the moments that matter. */
  readonly run?: { readonly samples: readonly Sample[]; readonly marks: readonly { atMs: number; label: string }[] }
}

/** One sentence about the product, the experiment that measures it, and the sabotage that shows that it can fail. */
export interface Claim<Measure extends string = string> {
  /** Of the catalogue: `NET-02`. The letters are the area. */
  readonly id: string
  /** One sentence that an operator understands. */
  readonly says: string
  /** Requirement rows, OWASP ASVS 5.0 requirements and success criteria that it answers. */
  readonly answers: readonly string[]
  /** The program that we did not write and that judges, or the real component that shows it. */
  readonly witness: string
  readonly needs?: readonly ProgramName[]
  readonly tier: Tier
  /** How long the experiment takes on two cores, in seconds. */
  readonly seconds: number
  /** Needs the machine for itself: it measures time or memory. */
  readonly alone?: boolean
  readonly limits: Readonly<Record<Measure, Limit>>
  readonly experiment: (rig: Rig) => Promise<Observation<Measure>>
  readonly sabotages: readonly [Sabotage, ...Sabotage[]]
}

/**
 * A claim as a value. Every limit is measured and every measure has a limit, or it does not compile.
 *
 * @example see `docs/proofs.md`
 */
export function defineClaim<const Measure extends string>(claim: Claim<Measure>): Claim {
  return claim as unknown as Claim
}

export const areaOf = (claim: Pick<Claim, 'id'>): string => claim.id.replace(/-.*$/, '')
