import { createHmac, hkdfSync } from 'node:crypto'
import { type Clock, DAY, type Secret, systemClock } from '@seaworthy/core'

/** One id, one pseudonym, for a day: lines of a person belong together, and nobody without the secret knows whose they are. */
export type Pseudonyms = (id: string, atMs?: number) => string

const KEY_BYTES = 32
const LENGTH = 12
const KNOWN_MAX = 10_000

/** Keys are derived for each day (UTC). A hash without a key would be undone by hashing all ids there are. */
export function createPseudonyms(secret: Secret, clock: Clock = systemClock): Pseudonyms {
  const base = Buffer.from(hkdfSync('sha256', secret.reveal(), '', 'seaworthy log pseudonyms 1', KEY_BYTES))
  const known = new Map<string, string>()
  let today = -1
  const make = (id: string, day: number): string => {
    const key = createHmac('sha256', base).update(`day ${day}`).digest()
    return `p-${createHmac('sha256', key).update(id).digest('hex').slice(0, LENGTH)}`
  }
  return (id, atMs = clock.now()) => {
    const day = Math.floor(atMs / DAY)
    if (day !== today || known.size > KNOWN_MAX) known.clear()
    today = day
    const found = known.get(id) ?? make(id, day)
    known.set(id, found)
    return found
  }
}
