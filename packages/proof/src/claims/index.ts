import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import type { Claim } from '../claim.ts'

const claimFile = /^[a-z]+-\d+-.*\.(js|ts)$/

/** Every claim: a file is all that a new one needs. Throws when two have one id. */
export async function loadClaims(): Promise<readonly Claim[]> {
  const areas = readdirSync(import.meta.dirname, { withFileTypes: true }).filter((entry) => entry.isDirectory())
  const files = areas.flatMap((area) =>
    readdirSync(join(import.meta.dirname, area.name))
      .filter((name) => claimFile.test(name) && !name.includes('.test.') && !name.endsWith('.d.ts'))
      .map((name) => ({ area: area.name, name })),
  )
  const claims = await Promise.all(
    files.map(async ({ area, name }) => {
      const { claim } = (await import(`./${area}/${name}`)) as { claim: Claim }
      if (!name.startsWith(`${claim.id.toLowerCase()}-`)) throw new Error(`${name} holds the claim ${claim.id}`)
      return claim
    }),
  )
  const twice = claims.find((claim, i) => claims.findIndex((other) => other.id === claim.id) !== i)
  if (twice) throw new Error(`two claims are called ${twice.id}`)
  return claims.sort((a, b) => a.id.localeCompare(b.id))
}
