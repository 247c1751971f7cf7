import type { Finding } from './finding.ts'
import type { Need } from './needs.ts'
import type { Target } from './target.ts'

export interface Found<Mistake extends string = string> {
  readonly findings: readonly Finding<Mistake>[]
  /** What must have happened for "no finding" to mean anything. */
  readonly met: Readonly<Record<string, boolean>>
}

/** One sentence about any app, and the search for what breaks it. */
export interface GeneralClaim<Mistake extends string = string> {
  readonly id: `GEN-${string}`
  readonly says: string
  /** Every mistake that it can find, with its numbers in part 2 of the requirements; none for the well known ones. */
  readonly mistakes: Readonly<Record<Mistake, readonly number[]>>
  readonly answers: readonly string[]
  readonly needs: readonly Need[]
  readonly find: (target: Target) => Promise<Found<Mistake>>
}

/** A claim as a value; a finding must be one of its mistakes, or it does not compile. */
export function defineGeneralClaim<const Mistake extends string>(claim: GeneralClaim<Mistake>): GeneralClaim {
  return claim as unknown as GeneralClaim
}
