import { type AccountId, type Caller, fault, type Role, roleAtLeast, type UserId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'
import { accessFor } from './entry.ts'
import { revokeInvitationsOf } from './invitations.ts'
import { lockMembers, roleNow } from './membership.ts'
import type { Access, Also, Parts } from './parts.ts'
import { type ChangedSession, knownOf, moveSessionsHome, outdateSessions, readSession } from './sessions.ts'

/** Who belongs to the account that the caller works in. Every change is effective in every process within a second. */
export interface Members {
  list(caller: Caller): Promise<readonly MemberListed[]>
  /** Throws `forbidden` when the caller may not, `last_owner`, `not_found`. */
  changeRole(caller: Caller, userId: UserId, role: Role, also?: Also): Promise<void>
  /** Ends the member's work here: their sign-ins go on in their own account, their keys are revoked. Throws as above. */
  remove(caller: Caller, userId: UserId, also?: Also): Promise<void>
  /** The same sign-in goes on in the caller's own account. Throws `last_owner`, and `conflict` in a personal account. */
  leave(caller: Caller, also?: Also): Promise<Access>
}

export interface MemberListed {
  readonly userId: UserId
  readonly email: string
  readonly role: Role
  readonly since: Date
}

export function membersOf(parts: Parts): Members {
  const { database } = parts.settings
  const change = <T>(work: (tx: Transaction) => Promise<T>): Promise<T> => database.withDuty('identity', work)
  return {
    list: (caller) => database.withDuty('identity', (tx) => listMembers(tx, caller.accountId), { readOnly: true }),
    changeRole: (caller, userId, role, also) =>
      change(async (tx) => {
        const member = await readMember(tx, caller, userId)
        refuseBeyond(member.callerRole, member.role, role)
        if (role !== 'owner') await refuseLastOwner(tx, caller.accountId, member.role)
        await setRole(parts, tx, { accountId: caller.accountId, userId }, role)
        await also?.(tx, caller)
      }),
    remove: (caller, userId, also) =>
      change(async (tx) => {
        if (userId === caller.userId)
          throw fault('conflict', { detail: 'Nobody removes themselves: leave the account instead.' })
        const member = await readMember(tx, caller, userId)
        refuseBeyond(member.callerRole, member.role)
        await refuseLastOwner(tx, caller.accountId, member.role)
        await endMembership(parts, tx, { accountId: caller.accountId, userId })
        await also?.(tx, caller)
      }),
    leave: async (caller, also) => {
      const known = await change(async (tx) => {
        const { role } = await readMember(tx, caller, caller.userId)
        await refuseLastOwner(tx, caller.accountId, role)
        await endMembership(parts, tx, caller)
        await also?.(tx, caller)
        const row = await readSession(tx, caller.sessionId)
        if (!row || row.revoked_at) throw fault('unauthenticated')
        return knownOf(row)
      })
      return accessFor(parts, known)
    },
  }
}

const listMembers = (tx: Transaction, accountId: AccountId): Promise<MemberListed[]> =>
  tx.many<MemberListed>(sql`
    select m.user_id as "userId", u.email, m.role, m.created_at as since
    from seaworthy.memberships m join seaworthy.users u on u.id = m.user_id
    where m.account_id = ${accountId} order by m.created_at, m.user_id`)

async function readMember(tx: Transaction, caller: Caller, userId: UserId) {
  await lockMembers(tx, caller.accountId)
  const callerRole = await roleNow(tx, caller)
  const { role } = await tx.one<{ role: Role }>(
    sql`select role from seaworthy.memberships where account_id = ${caller.accountId} and user_id = ${userId}`,
  )
  return { callerRole, role }
}

/** Owners decide about everybody; admins about members and viewers, whom they make nothing higher. */
function refuseBeyond(callerRole: Role, ...involved: readonly Role[]): void {
  if (callerRole === 'owner') return
  if (!roleAtLeast(callerRole, 'admin')) throw fault('forbidden', { detail: 'This needs the role admin.' })
  if (involved.some((role) => roleAtLeast(role, 'admin')))
    throw fault('forbidden', { detail: 'Only an owner decides about admins and owners.' })
}

async function refuseLastOwner(tx: Transaction, accountId: AccountId, role: Role): Promise<void> {
  if (role !== 'owner') return
  const { personal, owners } = await tx.one<{ personal: boolean; owners: number }>(sql`
    select a.personal_user_id is not null as personal,
      (select count(*)::int from seaworthy.memberships where account_id = a.id and role = 'owner') as owners
    from seaworthy.accounts a where a.id = ${accountId}`)
  if (personal) throw fault('conflict', { detail: 'This is a personal account: it has one owner for ever.' })
  if (owners <= 1) throw fault('last_owner', { detail: 'Make somebody else an owner first.' })
}

type Membership = Pick<Caller, 'accountId' | 'userId'>

async function setRole(parts: Parts, tx: Transaction, of: Membership, role: Role): Promise<void> {
  await tx.run(
    sql`update seaworthy.memberships set role = ${role} where account_id = ${of.accountId} and user_id = ${of.userId}`,
  )
  if (!roleAtLeast(role, 'admin')) await revokeInvitationsOf(tx, of)
  announce(parts, tx, await outdateSessions(tx, of))
  // A key does no more than its maker may do; who remembers it asks again.
  await tx.run(sql`
    update seaworthy.api_keys set changed_at = clock_timestamp()
    where account_id = ${of.accountId} and user_id = ${of.userId} and revoked_at is null`)
}

/** Sessions after the membership: a switch that was under way has ended by then, and its session is found here. */
async function endMembership(parts: Parts, tx: Transaction, of: Membership): Promise<void> {
  await tx.run(sql`delete from seaworthy.memberships where account_id = ${of.accountId} and user_id = ${of.userId}`)
  await revokeInvitationsOf(tx, of)
  announce(parts, tx, await moveSessionsHome(tx, of))
  await tx.run(sql`
    update seaworthy.api_keys set revoked_at = clock_timestamp(), changed_at = clock_timestamp()
    where account_id = ${of.accountId} and user_id = ${of.userId} and revoked_at is null`)
}

/** At once here; other processes ask twice a second. */
const announce = ({ revocations }: Parts, tx: Transaction, changed: readonly ChangedSession[]): void =>
  tx.afterCommit(() => {
    for (const { id, version } of changed) revocations.change(id, version)
  })
