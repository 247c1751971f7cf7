import { type Caller, DAY, fault, HOUR, type UserId } from '@seaworthy/core'
import { sql, type Transaction, violates } from '../data/index.ts'
import { sendMail } from '../mail/index.ts'
import {
  addressChangedLetter,
  addressInUseLetter,
  changeAskedLetter,
  confirmChangeLetter,
  verifyLetter,
} from './letters.ts'
import { countLinks, endLinks, type LinkKind, makeLink, type OneTimeLink, useLink } from './one-time-links.ts'
import type { Also, Parts } from './parts.ts'
import { type Person, personOf } from './people.ts'

/** The address of a person: shown to be theirs, and changed. */
export interface Addresses {
  /** By the link of a mail: the address is confirmed, or is the new one. Throws `link_expired`, `email_taken`. */
  confirm(token: string, also?: Also): Promise<{ readonly email: string; readonly changed: boolean }>
  /** The mail of the sign-up once more; nothing when the address is confirmed. Throws `too_many_requests`. */
  resend(caller: Caller, also?: Also): Promise<void>
  /** Takes effect when the new address is confirmed. The old one is told. Throws `too_many_requests`. */
  change(caller: Caller, email: string, also?: Also): Promise<void>
}

const VERIFY_MS = DAY
const CHANGE_MS = HOUR
const LINKS_PER_HOUR = 5

export function addressesOf(parts: Parts): Addresses {
  const { database } = parts.settings
  const onDuty = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => database.withDuty('identity', work)
  return {
    confirm: (token, also) => onDuty((tx) => confirm(parts, tx, token, also)).catch(refuseTaken),
    resend: (caller, also) =>
      onDuty(async (tx) => {
        const person = await personOf(tx, caller.userId)
        if (!person.verified) {
          await refuseTooMany(parts, tx, 'email_verify', person.userId)
          await sendVerification(parts, tx, person)
        }
        await also?.(tx, caller)
      }),
    change: (caller, email, also) =>
      onDuty(async (tx) => {
        await askForChange(parts, tx, await personOf(tx, caller.userId), email.trim())
        await also?.(tx, caller)
      }),
  }
}

/** In the transaction that makes or changes the person. */
export async function sendVerification(
  { settings }: Parts,
  tx: Transaction,
  { userId, email }: Pick<Person, 'userId' | 'email'>,
): Promise<void> {
  const { clock, publicUrl } = settings
  const link = await makeLink(tx, { kind: 'email_verify', userId, email, lifeMs: VERIFY_MS }, clock)
  await sendMail(tx, verifyLetter({ to: email, publicUrl, ...link }))
}

/** An address that is in use gets a mail too, and whoever asked the same answer: nobody learns who has an account. */
async function askForChange({ settings }: Parts, tx: Transaction, person: Person, email: string): Promise<void> {
  const { clock, publicUrl } = settings
  await refuseTooMany({ settings }, tx, 'email_change', person.userId)
  const link = await makeLink(tx, { kind: 'email_change', userId: person.userId, email, lifeMs: CHANGE_MS }, clock)
  const taken = await tx.many(
    sql`select 1 from seaworthy.users where id = seaworthy.user_by_address(${email}) and id <> ${person.userId}`,
  )
  await sendMail(
    tx,
    taken.length
      ? addressInUseLetter({ to: email, publicUrl })
      : confirmChangeLetter({ to: email, publicUrl, ...link }),
  )
  await sendMail(tx, changeAskedLetter({ to: person.email, publicUrl }))
}

async function confirm(parts: Parts, tx: Transaction, token: string, also?: Also) {
  const link = await useLink(tx, ['email_verify', 'email_change'], token, parts.settings.clock)
  const person = await personOf(tx, link.userId as UserId)
  const changed = link.kind === 'email_change'
  await (changed ? changeAddress(parts, tx, person, link) : verifyAddress(parts, tx, link))
  await also?.(tx, person.caller)
  return { email: link.email, changed }
}

/** Only the address that the mail went to: it may have been changed since. */
async function verifyAddress({ settings }: Parts, tx: Transaction, { userId, email }: OneTimeLink): Promise<void> {
  const verified = await tx.run(sql`
    update seaworthy.users set email_verified_at = ${new Date(settings.clock.now())}
    where id = ${userId} and lower(email) = lower(${email})`)
  if (verified === 0) throw fault('link_expired', { detail: 'The address of the account was changed since.' })
}

/** Links that were sent to the old address lead nowhere any more. */
async function changeAddress(
  { settings }: Parts,
  tx: Transaction,
  person: Person,
  { email }: OneTimeLink,
): Promise<void> {
  const { clock, publicUrl } = settings
  await tx.run(
    sql`update seaworthy.users set email = ${email}, email_verified_at = ${new Date(clock.now())} where id = ${person.userId}`,
  )
  await endLinks(tx, { userId: person.userId }, clock)
  await sendMail(tx, addressChangedLetter({ to: person.email, publicUrl }))
}

async function refuseTooMany(
  { settings: { clock } }: Pick<Parts, 'settings'>,
  tx: Transaction,
  kind: LinkKind,
  userId: UserId,
): Promise<void> {
  if ((await countLinks(tx, kind, userId, new Date(clock.now() - HOUR))) >= LINKS_PER_HOUR)
    throw fault('too_many_requests', {
      detail: 'Several mails were sent within the hour. Look among the unwanted ones, or wait.',
      retryAfterSeconds: HOUR / 1_000,
    })
}

function refuseTaken(error: unknown): never {
  if (violates(error, 'users_email'))
    throw fault('email_taken', { detail: 'Another account uses this address by now.', cause: error })
  throw error
}
