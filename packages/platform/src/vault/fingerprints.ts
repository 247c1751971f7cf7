import { type OwnerSession, sql } from '../data/index.ts'
import type { KeyRing } from './key-ring.ts'

type Runner = Pick<OwnerSession, 'many' | 'run'>

/** The key of this start is not the one that the database is sealed with. */
export class WrongKeyError extends Error {
  constructor(expected: readonly string[], given: readonly string[]) {
    super(
      `The encryption key is not the one that this database is sealed with.\n` +
        `  expected  ${expected.join(', ')}\n` +
        `  given     ${given.join(', ')}\n` +
        `    HINT: put the key with the expected fingerprint into ENCRYPTION_KEY or ENCRYPTION_KEYS_OLD, or bring it back from the\n` +
        `    recovery kit: seaworthy keys restore FILE`,
    )
    this.name = 'WrongKeyError'
  }
}

export interface RingFindings {
  readonly current: string
  readonly ageDays: number
  /** Keys in use that no verified recovery kit holds. */
  readonly unverified: readonly string[]
}

/**
 * Before anything serves, as the owner: every key that the database remembers must be in the ring. A current key that
 * it does not know yet is remembered. Throws `WrongKeyError`.
 */
export async function rememberRingOrThrow(session: Runner, ring: KeyRing): Promise<RingFindings> {
  const current = ring.current().id
  refuseMissing(await readIds(session), ring)
  await rememberKey(session, current)
  const keys = await readKeys(session)
  return {
    current,
    ageDays: keys.find((key) => key.id === current)?.days ?? 0,
    unverified: keys.filter((key) => !key.verified).map((key) => key.id),
  }
}

/**
 * The same for a start that changes nothing. Throws `WrongKeyError`; false while the database does not know the current
 * key, which whoever prepares it remembers there.
 */
export async function isRingRememberedOrThrow(session: Pick<Runner, 'many'>, ring: KeyRing): Promise<boolean> {
  const keys = await readIds(session)
  refuseMissing(keys, ring)
  return keys.some(({ id }) => id === ring.current().id)
}

/**
 * Fingerprints of keys that the database is sealed with and the ring has not. Changes nothing; none where nothing was
 * ever prepared.
 */
export async function readMissingKeys(
  withSession: <T>(work: (session: Pick<Runner, 'many'>) => Promise<T>) => Promise<T>,
  ring: KeyRing,
): Promise<readonly string[]> {
  const keys = await withSession(readIds).catch((error: unknown) => {
    if (unprepared.has((error as { code?: string }).code ?? '')) return []
    throw error
  })
  return missingIn(keys, ring)
}

/** No such database, no such schema, no such table. */
const unprepared = new Set(['3D000', '3F000', '42P01'])

const missingIn = (keys: readonly { readonly id: string }[], ring: KeyRing): readonly string[] =>
  keys.flatMap(({ id }) => (ring.find(id) ? [] : [id]))

function refuseMissing(keys: readonly { readonly id: string }[], ring: KeyRing): void {
  const missing = missingIn(keys, ring)
  if (missing.length)
    throw new WrongKeyError(
      missing,
      ring.all().map((key) => key.id),
    )
}

const readIds = (session: Pick<Runner, 'many'>) =>
  session.many(sql<{ id: string }>`select id from seaworthy.ring_keys order by created_at`)

const readKeys = (session: Runner) =>
  session.many(sql<{ id: string; days: number; verified: boolean }>`
    select id, extract(day from now() - created_at)::int as days, kit_verified_at is not null as verified
    from seaworthy.ring_keys order by created_at`)

export async function rememberKey(session: Runner, id: string): Promise<void> {
  await session.run(sql`insert into seaworthy.ring_keys (id) values (${id}) on conflict do nothing`)
}
