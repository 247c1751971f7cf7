import { type Caller, fault, type UserId } from '@seaworthy/core'
import { sql, type Transaction, violates } from '../data/index.ts'
import { closeChallenge, openChallenge, tryChallenge } from './challenges.ts'
import {
  enrolmentOptions,
  type PublicKeyCredentialCreationOptionsJSON,
  type PublicKeyCredentialRequestOptionsJSON,
  readEnrolment,
  readSignIn,
  type Site,
  type StoredPasskey,
  signInOptions,
} from './drivers/webauthn.ts'
import type { Also, Parts } from './parts.ts'
import { upgradeSession } from './sessions.ts'

interface PasskeyListed {
  readonly id: string
  readonly name: string
  readonly createdAt: Date
  readonly usedAt: Date | null
}

/** What the browser is given, and the ticket that its answer comes back with. */
interface Ceremony<Options> {
  readonly ticket: string
  readonly options: Options
}

export interface Passkeys {
  list(caller: Caller): Promise<readonly PasskeyListed[]>
  /** Throws `conflict` when there are twenty already. */
  begin(caller: Caller): Promise<Ceremony<PublicKeyCredentialCreationOptionsJSON>>
  /** Throws `challenge_expired`, `wrong_code`, `conflict`. */
  add(caller: Caller, given: NewPasskey, also?: Also): Promise<void>
  /** Throws `not_found`. */
  remove(caller: Caller, id: string, also?: Also): Promise<void>
  beginSignIn(): Promise<Ceremony<PublicKeyCredentialRequestOptionsJSON>>
}

interface NewPasskey {
  readonly ticket: string
  readonly name: string
  /** What the browser said. */
  readonly answer: unknown
}

export const passkeysOf = (parts: Parts): Passkeys => ({
  list: ({ userId }) =>
    parts.settings.database.withDuty('identity', (tx) => listPasskeys(tx, userId), { readOnly: true }),
  begin: (caller) => beginPasskey(parts, caller),
  add: (caller, given, also) => addPasskey(parts, caller, given, also),
  remove: (caller, id, also) => removePasskey(parts, caller, id, also),
  beginSignIn: () => beginPasskeySignIn(parts),
})

const PASSKEYS_MAX = 20
const ONCE = 1

const siteOf = ({ settings }: Parts): Site => {
  const { hostname, origin } = new URL(settings.publicUrl)
  return { name: 'Seaworthy', id: hostname, origin }
}

const readPasskeys = (tx: Transaction, userId: UserId): Promise<StoredPasskey[]> =>
  tx.many<StoredPasskey>(
    sql`select id, public_key as "publicKey", counter::float8 as counter, transports from seaworthy.passkeys where user_id = ${userId}`,
  )

const listPasskeys = (tx: Transaction, userId: UserId): Promise<PasskeyListed[]> =>
  tx.many<PasskeyListed>(sql`
    select id, name, created_at as "createdAt", last_used_at as "usedAt" from seaworthy.passkeys where user_id = ${userId} order by created_at, id`)

async function beginPasskey(parts: Parts, caller: Caller): Promise<Ceremony<PublicKeyCredentialCreationOptionsJSON>> {
  const { database, clock } = parts.settings
  return database.withDuty('identity', async (tx) => {
    const known = await readPasskeys(tx, caller.userId)
    if (known.length >= PASSKEYS_MAX)
      throw fault('conflict', { detail: `You have ${PASSKEYS_MAX} passkeys. Remove one first.` })
    const { email } = await tx.one<{ email: string }>(
      sql`select email from seaworthy.users where id = ${caller.userId}`,
    )
    const options = await enrolmentOptions(siteOf(parts), { id: caller.userId, email }, known)
    const of = { kind: 'passkey_enrol', userId: caller.userId, value: options.challenge } as const
    return { ticket: await openChallenge(tx, clock, of), options }
  })
}

async function addPasskey(parts: Parts, caller: Caller, given: NewPasskey, also?: Also): Promise<void> {
  const { database } = parts.settings
  const challenge = await takeChallenge(parts, 'passkey_enrol', given.ticket)
  const made =
    challenge.userId === caller.userId ? await readEnrolment(siteOf(parts), challenge.value, given.answer) : undefined
  if (!made)
    throw fault('wrong_code', { detail: 'Your device gave an answer that does not belong here. Please try again.' })
  await database
    .withDuty('identity', async (tx) => {
      await tx.run(sql`
        insert into seaworthy.passkeys (id, user_id, name, public_key, counter, transports, backed_up)
        values (${made.id}, ${caller.userId}, ${given.name}, ${made.publicKey}, ${made.counter}, ${made.transports}, ${made.backedUp})`)
      await upgradeSession(tx, caller.sessionId, parts.revocations)
      await also?.(tx, caller)
    })
    .catch((error: unknown) => {
      throw violates(error, 'passkeys_pkey')
        ? fault('conflict', { detail: 'This passkey is known already.', cause: error })
        : error
    })
}

async function removePasskey(parts: Parts, caller: Caller, id: string, also?: Also): Promise<void> {
  await parts.settings.database.withDuty('identity', async (tx) => {
    const removed = await tx.run(sql`delete from seaworthy.passkeys where id = ${id} and user_id = ${caller.userId}`)
    if (removed === 0) throw fault('not_found')
    await also?.(tx, caller)
  })
}

async function beginPasskeySignIn(parts: Parts): Promise<Ceremony<PublicKeyCredentialRequestOptionsJSON>> {
  const { database, clock } = parts.settings
  const options = await signInOptions(siteOf(parts))
  const of = { kind: 'passkey_sign_in', value: options.challenge } as const
  return { ticket: await database.withDuty('identity', (tx) => openChallenge(tx, clock, of)), options }
}

/** Whose passkey it is. Throws `challenge_expired`, `wrong_credentials`. */
export async function checkPasskey(
  parts: Parts,
  given: { readonly ticket: string; readonly answer: unknown },
): Promise<UserId> {
  const { database, clock } = parts.settings
  const challenge = await takeChallenge(parts, 'passkey_sign_in', given.ticket)
  const id = (given.answer as { id?: unknown } | null)?.id
  const found =
    typeof id === 'string'
      ? await database.withDuty('identity', (tx) =>
          tx.maybe<StoredPasskey & { userId: UserId }>(sql`
            select id, user_id as "userId", public_key as "publicKey", counter::float8 as counter, transports from seaworthy.passkeys where id = ${id}`),
        )
      : undefined
  const read = found && (await readSignIn(siteOf(parts), challenge.value, given.answer, found))
  if (!found || !read) throw fault('wrong_credentials', { detail: 'This passkey is not known here.' })
  await database.withDuty('identity', (tx) =>
    tx.run(
      sql`update seaworthy.passkeys set counter = ${read.counter}, last_used_at = ${new Date(clock.now())} where id = ${found.id}`,
    ),
  )
  return found.userId
}

/** It answers once, right or wrong. */
async function takeChallenge(parts: Parts, kind: 'passkey_enrol' | 'passkey_sign_in', ticket: string) {
  const { database, clock } = parts.settings
  return database.withDuty('identity', async (tx) => {
    const challenge = await tryChallenge(tx, clock, { kind, ticket, triesMax: ONCE })
    await closeChallenge(tx, ticket)
    return challenge
  })
}
