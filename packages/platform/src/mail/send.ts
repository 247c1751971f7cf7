import { fault, newId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import type { Mail } from './message.ts'

const SUBJECT_LENGTH_MAX = 200
const ADDRESS_LENGTH_MAX = 254
const addressForm = /^[^\s\p{Cc},;<>()"@]+@[^\s\p{Cc},;<>()"@]+$/u
const control = /\p{Cc}/u

/**
 * Writes a mail in the caller's transaction: it goes out if that commits, and only then.
 *
 * @returns its id.
 * @throws `invalid_input` for an address that is not exactly one, and for a subject that could be more than one header.
 */
export async function sendMail(tx: Transaction, mail: Mail): Promise<string> {
  refuseUnsafe(mail)
  const id = newId()
  const { to, subject, paragraphs, action, expiresAt } = mail
  const body = JSON.stringify({ paragraphs, ...(action ? { action } : {}) })
  await tx.run(sql`
    insert into seaworthy.mail (id, recipient, subject, body, expires_at)
    values (${id}, ${to}, ${subject}, ${body}, ${expiresAt ?? null})`)
  return id
}

function refuseUnsafe({ to, subject, action }: Mail): void {
  if (to.length > ADDRESS_LENGTH_MAX || !addressForm.test(to))
    throw fault('invalid_input', { detail: 'This is not an address that mail can be sent to.' })
  if (!subject || subject.length > SUBJECT_LENGTH_MAX || control.test(subject))
    throw fault('invalid_input', { detail: 'A subject is one line of at most 200 characters.' })
  if (action && !/^https?:\/\//.test(action.url))
    throw fault('invalid_input', { detail: 'A mail leads to a web address only.' })
}
