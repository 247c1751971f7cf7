import { createHmac, randomInt } from 'node:crypto'
import type { Clock, Secret, UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

const CODES = 10
/** Without characters that look alike: 32 of them, so ten hold 50 bits. */
const ALPHABET = 'ABCDEFGHJKLMNPQRSTUVWXYZ23456789'
const LENGTH = 10

/** New ones in place of all older ones. Shown once. */
export async function makeRecoveryCodes(tx: Transaction, userId: UserId, secret: Secret): Promise<readonly string[]> {
  const codes = Array.from({ length: CODES }, makeCode)
  await tx.run(sql`delete from seaworthy.recovery_codes where user_id = ${userId}`)
  for (const code of codes)
    await tx.run(
      sql`insert into seaworthy.recovery_codes (user_id, hash) values (${userId}, ${hashOf(code, userId, secret)})`,
    )
  return codes.map((code) => `${code.slice(0, LENGTH / 2)}-${code.slice(LENGTH / 2)}`)
}

const makeCode = (): string => Array.from({ length: LENGTH }, () => ALPHABET[randomInt(ALPHABET.length)]).join('')

/** True when it was one of theirs and had not been used: it is now. */
export async function consumeRecoveryCode(
  tx: Transaction,
  userId: UserId,
  given: string,
  { secret, clock }: { readonly secret: Secret; readonly clock: Clock },
): Promise<boolean> {
  const code = given.toUpperCase().replace(/[^A-Z0-9]/g, '')
  if (code.length !== LENGTH) return false
  const used = await tx.run(sql`
    update seaworthy.recovery_codes set used_at = ${new Date(clock.now())}
    where user_id = ${userId} and hash = ${hashOf(code, userId, secret)} and used_at is null`)
  return used === 1
}

export async function countRecoveryCodes(tx: Transaction, userId: UserId): Promise<number> {
  const { left } = await tx.one<{ left: number }>(
    sql`select count(*)::int as left from seaworthy.recovery_codes where user_id = ${userId} and used_at is null`,
  )
  return left
}

/** With a key that is not in the database: 50 bits alone could be tried out. */
const hashOf = (code: string, userId: UserId, secret: Secret): Buffer =>
  createHmac('sha256', secret.reveal()).update(`recovery code\0${userId}\0${code}`).digest()
