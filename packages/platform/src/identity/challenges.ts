import { createHash, randomBytes } from 'node:crypto'
import { type Clock, fault, MINUTE, type UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

export type ChallengeKind = 'second_factor' | 'passkey_enrol' | 'passkey_sign_in'

export interface Challenge {
  /** Undefined until a passkey says whose it is. */
  readonly userId: UserId | undefined
  readonly value: string
}

const LIFE_MS = 5 * MINUTE
const hashOf = (ticket: string): Buffer => createHash('sha256').update(ticket).digest()

/** A step of a sign-in that waits for its answer: the ticket names it, and nobody can guess one. */
export async function openChallenge(
  tx: Transaction,
  clock: Clock,
  { kind, userId, value = '' }: { readonly kind: ChallengeKind; readonly userId?: UserId; readonly value?: string },
): Promise<string> {
  const ticket = randomBytes(32).toString('base64url')
  await tx.run(sql`delete from seaworthy.challenges where hash in (
    select hash from seaworthy.challenges where expires_at < ${new Date(clock.now())} limit 20 for update skip locked)`)
  await tx.run(sql`
    insert into seaworthy.challenges (hash, kind, user_id, value, expires_at)
    values (${hashOf(ticket)}, ${kind}, ${userId ?? null}, ${value}, ${new Date(clock.now() + LIFE_MS)})`)
  return ticket
}

/** Counts a try. Throws `challenge_expired` for one that is not there, has ended, or was tried too often. */
export async function tryChallenge(
  tx: Transaction,
  clock: Clock,
  { kind, ticket, triesMax }: { readonly kind: ChallengeKind; readonly ticket: string; readonly triesMax: number },
): Promise<Challenge> {
  const row = await tx.maybe<{ user_id: UserId | null; value: string }>(sql`
    update seaworthy.challenges set tries = tries + 1
    where hash = ${hashOf(ticket)} and kind = ${kind} and expires_at > ${new Date(clock.now())} and tries < ${triesMax}
    returning user_id, value`)
  if (!row) throw fault('challenge_expired')
  return { userId: row.user_id ?? undefined, value: row.value }
}

export async function closeChallenge(tx: Transaction, ticket: string): Promise<void> {
  await tx.run(sql`delete from seaworthy.challenges where hash = ${hashOf(ticket)}`)
}
