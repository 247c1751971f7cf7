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

/**
 * Before anything serves, in a transaction of the owner: every key that the database remembers must be in the ring. A
 * current key that it does not know yet is remembered. Throws `WrongKeyError`.
 */
export async function rememberRingOrThrow(tx: Runner, ring: KeyRing): Promise<void> {
  const keys = ring.all()
  const known = (await tx.many(sql<{ id: string }>`select id from seaworthy.ring_keys order by created_at`)).map(
    (row) => row.id,
  )
  const missing = known.filter((id) => !ring.find(id))
  if (missing.length)
    throw new WrongKeyError(
      missing,
      keys.map((key) => key.id),
    )
  await rememberKey(tx, ring.current().id)
}

export async function rememberKey(tx: Runner, id: string): Promise<void> {
  await tx.run(sql`insert into seaworthy.ring_keys (id) values (${id}) on conflict do nothing`)
}
