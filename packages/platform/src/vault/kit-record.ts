import { type OwnerSession, sql } from '../data/index.ts'

/** Remembers that a kit with these keys was opened with its passphrase. Returns the keys in use that are not in it. */
export async function recordKitVerified(
  session: OwnerSession,
  fingerprints: readonly string[],
): Promise<readonly string[]> {
  await session.run(sql`update seaworthy.ring_keys set kit_verified_at = now() where id = any(${fingerprints}::text[])`)
  return unverifiedKeys(session)
}

/** Fingerprints of keys in use that no verified recovery kit holds: what must not be empty-handed before a backup counts. */
export async function unverifiedKeys(session: Pick<OwnerSession, 'many'>): Promise<readonly string[]> {
  const rows = await session.many(sql<{ id: string }>`select id from seaworthy.ring_keys where kit_verified_at is null`)
  return rows.map((row) => row.id)
}
