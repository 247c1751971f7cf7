import { readdirSync } from 'node:fs'
import type { GeneralClaim } from '../claim.ts'

const claimFile = /^(?!index\.)[a-z]+-[a-z-]+\.(js|ts)$/

/** Every general claim, in the order of their ids: a file is all that a new one needs. */
export async function loadGeneralClaims(): Promise<readonly GeneralClaim[]> {
  const files = readdirSync(import.meta.dirname).filter((name) => claimFile.test(name))
  const claims = await Promise.all(
    files.map(async (name) => ((await import(/* @vite-ignore */ `./${name}`)) as { claim: GeneralClaim }).claim),
  )
  const twice = claims.find((claim, i) => claims.findIndex((other) => other.id === claim.id) !== i)
  if (twice) throw new Error(`two claims are called ${twice.id}`)
  return claims.sort((a, b) => a.id.localeCompare(b.id))
}
