import { createHash, randomBytes } from 'node:crypto'
import { type AccountId, type Caller, type Clock, DAY, fault, newId, type Role, roleAtLeast } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import { sendMail } from '../mail/index.ts'
import { invitationLetter } from './letters.ts'
import { lockMembers, MEMBERS_MAX, roleNow } from './membership.ts'
import type { Also, Parts } from './parts.ts'

/** A link that makes whoever has the address it was made for a member: once, and for a week. */
export interface Invitations {
  /** Inviting an address again replaces its link. Throws `forbidden`, `conflict`, `too_many_requests`. */
  invite(caller: Caller, wanted: Invited, also?: AlsoWithId): Promise<Invitation>
  /** The open ones of the caller's account, the newest first. */
  list(caller: Caller): Promise<readonly InvitationListed[]>
  /** Throws `not_found`. */
  revoke(caller: Caller, id: string, also?: Also): Promise<void>
  /** What the link is for. Throws `link_expired`. */
  read(caller: Caller, token: string): Promise<Offer>
  /** Throws `link_expired`, and `invitation_for_another` when the caller's address is another. */
  accept(caller: Caller, token: string, also?: Also): Promise<Offer>
}

type InvitedRole = Exclude<Role, 'owner'>

type AlsoWithId = (tx: Transaction, invitationId: string) => Promise<void>

interface Invited {
  readonly email: string
  readonly role: InvitedRole
}

interface Invitation {
  readonly id: string
  /** Shown once. */
  readonly token: string
  readonly expiresAt: Date
}

export interface InvitationListed extends Invited {
  readonly id: string
  readonly invitedBy: string | null
  readonly createdAt: Date
  readonly expiresAt: Date
}

interface Offer {
  readonly accountId: AccountId
  readonly account: string
  readonly role: InvitedRole
  readonly invitedBy: string | null
  /** It was made for the caller's address. */
  readonly forCaller: boolean
}

const LIFE_MS = 7 * DAY
const PER_DAY_MAX = 50
const RETRY_SECONDS = 3_600
const TOKEN_BYTES = 32
const hashToken = (token: string): Buffer => createHash('sha256').update(token).digest()

export function invitationsOf({ settings }: Parts): Invitations {
  const { database, clock, publicUrl } = settings
  return {
    invite: (caller, wanted, also) =>
      database.withDuty('identity', (tx) => invite(tx, clock, { caller, wanted, publicUrl, also })),
    list: (caller) => database.withDuty('identity', (tx) => listOpen(tx, clock, caller.accountId), { readOnly: true }),
    revoke: (caller, id, also) =>
      database.withDuty('identity', async (tx) => {
        const revoked = await tx.run(sql`
          update seaworthy.invitations set revoked_at = clock_timestamp()
          where id = ${id} and account_id = ${caller.accountId} and accepted_at is null and revoked_at is null`)
        if (revoked === 0) throw fault('not_found')
        await also?.(tx, caller)
      }),
    read: (caller, token) =>
      database.withDuty('identity', (tx) => readOffer(tx, clock, caller, token), { readOnly: true }),
    accept: (caller, token, also) => database.withDuty('identity', (tx) => accept(tx, clock, { caller, token, also })),
  }
}

interface Inviting {
  readonly caller: Caller
  readonly wanted: Invited
  /** Where the link in the mail leads. */
  readonly publicUrl: string
  readonly also: AlsoWithId | undefined
}

async function invite(
  tx: Transaction,
  clock: Clock,
  { caller, wanted, publicUrl, also }: Inviting,
): Promise<Invitation> {
  const email = wanted.email.trim()
  await lockMembers(tx, caller.accountId)
  const role = await roleNow(tx, caller)
  if (!roleAtLeast(role, 'admin') || (role !== 'owner' && roleAtLeast(wanted.role, 'admin')))
    throw fault('forbidden', { detail: 'Owners invite anybody; admins invite members and viewers.' })
  await refuseNeedless(tx, caller, email)
  await refuseTooMany(tx, clock, caller)
  await tx.run(sql`
    update seaworthy.invitations set revoked_at = clock_timestamp()
    where account_id = ${caller.accountId} and lower(email) = lower(${email}) and accepted_at is null and revoked_at is null`)
  const token = randomBytes(TOKEN_BYTES).toString('base64url')
  const made = { id: newId(), token, expiresAt: new Date(clock.now() + LIFE_MS) }
  await tx.run(sql`
    insert into seaworthy.invitations (id, account_id, email, role, token_hash, invited_by, created_at, expires_at)
    values (${made.id}, ${caller.accountId}, ${email}, ${wanted.role}, ${hashToken(token)}, ${caller.userId}, ${new Date(clock.now())}, ${made.expiresAt})`)
  const { account, invitedBy } = await tx.one<{ account: string; invitedBy: string }>(sql`
    select a.name as account, u.email as "invitedBy" from seaworthy.accounts a, seaworthy.users u
    where a.id = ${caller.accountId} and u.id = ${caller.userId}`)
  await sendMail(tx, invitationLetter({ to: email, publicUrl, token, expiresAt: made.expiresAt, account, invitedBy }))
  await also?.(tx, made.id)
  return made
}

async function refuseNeedless(tx: Transaction, { accountId }: Caller, email: string): Promise<void> {
  const { personal, member } = await tx.one<{ personal: boolean; member: boolean }>(sql`
    select a.personal_user_id is not null as personal, exists (
      select 1 from seaworthy.memberships m join seaworthy.users u on u.id = m.user_id
      where m.account_id = a.id and lower(u.email) = lower(${email})) as member
    from seaworthy.accounts a where a.id = ${accountId}`)
  if (personal)
    throw fault('conflict', { detail: 'This is your personal account. Make a shared one to invite others.' })
  if (member) throw fault('conflict', { detail: 'Whoever has this address is a member already.' })
}

/** By account and by person: links go to strangers, so neither sends them without end. */
async function refuseTooMany(tx: Transaction, clock: Clock, { accountId, userId }: Caller): Promise<void> {
  const { here, mine, people } = await tx.one<{ here: number; mine: number; people: number }>(sql`
    with recent as (
      select account_id, invited_by from seaworthy.invitations
      where (account_id = ${accountId} or invited_by = ${userId}) and created_at > ${new Date(clock.now() - DAY)})
    select (select count(*)::int from recent where account_id = ${accountId}) as here,
      (select count(*)::int from recent where invited_by = ${userId}) as mine,
      (select count(*)::int from seaworthy.memberships where account_id = ${accountId}) as people`)
  if (people >= MEMBERS_MAX) throw fault('conflict', { detail: `An account may have ${MEMBERS_MAX} members.` })
  if (here >= PER_DAY_MAX || mine >= PER_DAY_MAX)
    throw fault('too_many_requests', {
      detail: `At most ${PER_DAY_MAX} invitations in a day. Try again tomorrow.`,
      retryAfterSeconds: RETRY_SECONDS,
    })
}

const listOpen = (tx: Transaction, clock: Clock, accountId: AccountId): Promise<InvitationListed[]> =>
  tx.many<InvitationListed>(sql`
    select i.id, i.email, i.role, u.email as "invitedBy", i.created_at as "createdAt", i.expires_at as "expiresAt"
    from seaworthy.invitations i left join seaworthy.users u on u.id = i.invited_by
    where i.account_id = ${accountId} and i.accepted_at is null and i.revoked_at is null and i.expires_at > ${new Date(clock.now())}
    order by i.id desc limit 500`)

/** Throws `link_expired`: used, revoked, too old and unknown look the same. */
async function readOffer(tx: Transaction, clock: Clock, caller: Caller, token: string): Promise<Offer> {
  const found = await tx.maybe<Offer>(sql`
    select i.account_id as "accountId", a.name as account, i.role, u.email as "invitedBy",
      exists (select 1 from seaworthy.users me where me.id = ${caller.userId} and lower(me.email) = lower(i.email)) as "forCaller"
    from seaworthy.invitations i join seaworthy.accounts a on a.id = i.account_id left join seaworthy.users u on u.id = i.invited_by
    where i.token_hash = ${hashToken(token)} and i.accepted_at is null and i.revoked_at is null and i.expires_at > ${new Date(clock.now())}`)
  if (!found) throw fault('link_expired', { detail: 'Ask whoever invited you for a new link.' })
  return found
}

interface Accepting {
  readonly caller: Caller
  readonly token: string
  readonly also: Also | undefined
}

/** Several at once wait for the account, and only the first still finds the link open. */
async function accept(tx: Transaction, clock: Clock, { caller, token, also }: Accepting): Promise<Offer> {
  const { accountId } = await readOffer(tx, clock, caller, token)
  await lockMembers(tx, accountId)
  const offer = await readOffer(tx, clock, caller, token)
  if (!offer.forCaller)
    throw fault('invitation_for_another', { detail: 'Sign in with the address that it was sent to.' })
  const { people } = await tx.one<{ people: number }>(
    sql`select count(*)::int as people from seaworthy.memberships where account_id = ${accountId}`,
  )
  if (people >= MEMBERS_MAX) throw fault('conflict', { detail: `This account has ${MEMBERS_MAX} members already.` })
  await tx.run(sql`
    update seaworthy.invitations set accepted_at = clock_timestamp(), accepted_by = ${caller.userId} where token_hash = ${hashToken(token)}`)
  await tx.run(sql`
    insert into seaworthy.memberships (account_id, user_id, role) values (${accountId}, ${caller.userId}, ${offer.role})
    on conflict do nothing`)
  await also?.(tx, { ...caller, accountId })
  return offer
}

/** Who may not invite any more leaves no open links behind. */
export async function revokeInvitationsOf(tx: Transaction, of: Pick<Caller, 'accountId' | 'userId'>): Promise<void> {
  await tx.run(sql`
    update seaworthy.invitations set revoked_at = clock_timestamp()
    where account_id = ${of.accountId} and invited_by = ${of.userId} and accepted_at is null and revoked_at is null`)
}
