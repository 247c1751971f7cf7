import { type Caller, HOUR, MINUTE, type UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import { sendMail } from '../mail/index.ts'
import { confirmPassword } from './entry.ts'
import { passwordChangedLetter, resetLetter } from './letters.ts'
import { countLinks, endLinks, makeLink, peekLink, useLink } from './one-time-links.ts'
import type { Also, Parts } from './parts.ts'
import { findPersonByEmail, type Person, personOf } from './people.ts'
import { revokeSessionsOf } from './sessions.ts'

/** A password that was forgotten, and one that is changed. */
export interface PasswordChanges {
  /** A mail with a link, if there is such an account. The caller learns nothing of that, neither by the answer nor by its time. */
  forgot(email: string): Promise<void>
  /**
   * By the link of a mail. Ends every sign-in of the person and signs nobody in: a second factor stays needed.
   * Throws `link_expired`, `password_too_common`; the latter leaves the link as it is.
   */
  reset(given: { readonly token: string; readonly password: string }, also?: Also): Promise<void>
  /** Ends the other sign-ins. Throws `wrong_credentials`, `password_too_common`. */
  change(caller: Caller, given: { readonly current: string; readonly password: string }, also?: Also): Promise<void>
}

const RESET_MS = 30 * MINUTE
const LINKS_PER_HOUR = 5

export const passwordChangesOf = (parts: Parts): PasswordChanges => ({
  forgot: async (email) => parts.background.start(() => sendReset(parts, email)),
  reset: (given, also) => reset(parts, given, also),
  change: (caller, given, also) => change(parts, caller, given, also),
})

async function sendReset({ settings }: Parts, email: string): Promise<void> {
  const { database, clock, publicUrl } = settings
  await database.withDuty('identity', async (tx) => {
    const person = await findPersonByEmail(tx, email)
    if (!person) return
    const { userId } = person
    if ((await countLinks(tx, 'password_reset', userId, new Date(clock.now() - HOUR))) >= LINKS_PER_HOUR) return
    const link = await makeLink(tx, { kind: 'password_reset', userId, email: person.email, lifeMs: RESET_MS }, clock)
    await sendMail(tx, resetLetter({ to: person.email, publicUrl, ...link }))
  })
}

async function reset(
  parts: Parts,
  { token, password }: { readonly token: string; readonly password: string },
  also?: Also,
): Promise<void> {
  const { database, clock } = parts.settings
  // Looked at first: hashing is dear, and is not done for whoever makes links up.
  const { email } = await database.withDuty('identity', (tx) => peekLink(tx, 'password_reset', token, clock), {
    readOnly: true,
  })
  await parts.rules.check(password, email)
  const hashed = await parts.passwords.hash(password)
  await endSessions(parts, async (tx) => {
    const link = await useLink(tx, ['password_reset'], token, clock)
    const person = await personOf(tx, link.userId as UserId)
    if (!person.verified) await disown(tx, person.userId)
    const ended = await replacePassword(parts, tx, person, hashed)
    // Whoever used the link reads the mail of this address.
    await tx.run(
      sql`update seaworthy.users set email_verified_at = coalesce(email_verified_at, ${new Date(clock.now())}) where id = ${person.userId}`,
    )
    await also?.(tx, person.caller)
    return ended
  })
}

async function change(
  parts: Parts,
  caller: Caller,
  { current, password }: { readonly current: string; readonly password: string },
  also?: Also,
): Promise<void> {
  const { email } = await confirmPassword(parts, caller, current)
  await parts.rules.check(password, email)
  const hashed = await parts.passwords.hash(password)
  await endSessions(parts, async (tx) => {
    const ended = await replacePassword(parts, tx, await personOf(tx, caller.userId), hashed, caller.sessionId)
    await also?.(tx, caller)
    return ended
  })
}

/** Ends the person's sign-ins but one, every link that is under way, and every sign-in that waits for its second step. */
async function replacePassword(
  { settings }: Parts,
  tx: Transaction,
  { userId, email }: Person,
  hashed: string,
  except?: string,
): Promise<readonly string[]> {
  const { clock, publicUrl } = settings
  await tx.run(sql`update seaworthy.users set password_hash = ${hashed} where id = ${userId}`)
  const ended = await revokeSessionsOf(tx, userId, 'password_changed', except)
  await endLinks(tx, { userId }, clock)
  await tx.run(sql`delete from seaworthy.challenges where user_id = ${userId}`)
  await sendMail(tx, passwordChangedLetter({ to: email, publicUrl }))
  return ended
}

/**
 * Nobody had shown before that they read this address: whoever made the account may be a stranger, and ways in that the
 * new password does not close end here.
 */
async function disown(tx: Transaction, userId: UserId): Promise<void> {
  await tx.run(sql`delete from seaworthy.passkeys where user_id = ${userId}`)
  await tx.run(sql`
    update seaworthy.api_keys set revoked_at = clock_timestamp(), changed_at = clock_timestamp()
    where user_id = ${userId} and revoked_at is null`)
}

/** At once in this process, within a second in the others. */
async function endSessions(parts: Parts, work: (tx: Transaction) => Promise<readonly string[]>): Promise<void> {
  const ended = await parts.settings.database.withDuty('identity', work)
  for (const id of ended) parts.revocations.add(id)
}
