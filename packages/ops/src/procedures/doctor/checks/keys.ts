import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { bad, good, none, warn } from '../finding.ts'
import { type Installation, settingsOf } from '../installation.ts'
import type { Check } from './check.ts'
import { onDatabase } from './database.ts'

interface KnownKey {
  readonly id: string
  readonly days: number
  readonly isVerified: boolean
}

const readKnown = (here: Installation): Promise<readonly KnownKey[]> =>
  here.query<KnownKey>(
    `select id, extract(day from now() - created_at)::int as days, kit_verified_at is not null as "isVerified" from seaworthy.ring_keys order by created_at desc`,
  )

/** Compared by fingerprint: the key that the database is sealed with must be here. */
export const keys: Check = {
  title: 'key ring',
  look: async (here) => {
    const { dataDirectory } = settingsOf(here)
    if (here.missingSecrets.includes('ENCRYPTION_KEY')) {
      const found = await onDatabase(here, async () => {
        const known = await readKnown(here)
        return known.length
          ? bad(`ENCRYPTION_KEY is gone; the database is sealed with ${idsOf(known)}`, 'seaworthy runbook keys-lost')
          : good('there is none yet, and nothing is sealed')
      })
      if (found.verdict !== 'none') return found
      return existsSync(join(dataDirectory, 'database'))
        ? warn('ENCRYPTION_KEY is not here, and the database cannot be asked', 'seaworthy runbook keys-lost')
        : none('it was never started: the first start makes one')
    }
    const ring = here.ring()
    const found = await onDatabase(here, async () => {
      const missing = (await readKnown(here)).filter(({ id }) => !ring.includes(id))
      return missing.length
        ? bad(
            `here is ${ring.join(', ')}, but the database is sealed with ${idsOf(missing)}`,
            'seaworthy runbook keys-lost',
          )
        : good(`${ring[0]} is the one that the database is sealed with`)
    })
    return found.verdict === 'none' ? good(`here is ${ring[0]}; the database was not asked, it does not run`) : found
  },
}

const idsOf = (known: readonly KnownKey[]): string => known.map(({ id }) => id).join(', ')

/** A key without a kit is lost with its disk. */
export const kit: Check = {
  title: 'recovery kit',
  look: (here) =>
    onDatabase(here, async () => {
      const open = (await readKnown(here)).filter(({ isVerified }) => !isVerified)
      return open.length
        ? warn(
            `no kit that was read back holds ${idsOf(open)}`,
            'seaworthy keys kit FILE, then: seaworthy keys kit --verify FILE',
          )
        : good('read back, and it holds every key in use')
    }),
}

const DAYS_MAX = 90

export const keyAge: Check = {
  title: 'age of the key',
  look: (here) =>
    onDatabase(here, async () => {
      const [newest] = await readKnown(here)
      const days = newest?.days ?? 0
      return days > DAYS_MAX ? warn(`${days} days old`, 'seaworthy keys rotate') : good(`${days} days old`)
    }),
}
