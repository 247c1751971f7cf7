import { areaOf, type Claim, type Tier } from '../claim.ts'

const tiers: readonly Tier[] = ['fast', 'full', 'soak']

/** The claims that were asked for: by id or area, and no slower than the tier. Throws when a name is nobody's. */
export function chooseClaims(all: readonly Claim[], names: readonly string[], tier: Tier): readonly Claim[] {
  for (const name of names)
    if (!all.some((claim) => isNamed(claim, name)))
      throw new Error(`There is no claim or area ${name}.\n    HINT: seaworthy prove --list`)
  // Whoever names a claim wants it, however long it takes.
  if (names.length) return all.filter((claim) => names.some((name) => isNamed(claim, name)))
  return all.filter((claim) => tiers.indexOf(claim.tier) <= tiers.indexOf(tier))
}

const isNamed = (claim: Claim, name: string): boolean =>
  claim.id === name.toUpperCase() || areaOf(claim) === name.toUpperCase()
