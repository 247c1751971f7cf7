import { roles, type UserId } from '@seaworthy/core'
import { z } from 'zod'
import { noBody, route } from '../../../definition/index.ts'
import { type IdentityParts, Session, sessionOf } from './answers.ts'
import { rates } from './rates.ts'

const Member = z.object({
  userId: z.string(),
  email: z.string(),
  role: z.string(),
  since: z.string(),
  you: z.boolean(),
})
const params = z.strictObject({ userId: z.uuid() })

/** Who belongs to the account that one works in. */
export const memberRoutes = (parts: IdentityParts) =>
  [listMembers(parts), changeRole(parts), removeMember(parts), leaveAccount(parts)] as const

const listMembers = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.members.list',
    method: 'GET',
    path: '/members',
    summary: 'Who belongs to this account',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(Member) }) },
    handle: async ({ caller }) => {
      const found = await identity.members.list(caller)
      const items = found.map(({ userId, email, role, since }) => ({
        userId,
        email,
        role,
        since: since.toISOString(),
        you: userId === caller.userId,
      }))
      return { status: 200, body: { items } }
    },
  })

const changeRole = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.members.change',
    method: 'PATCH',
    path: '/members/{userId}',
    summary: 'Give a member another role',
    auth: 'admin',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    params,
    body: z.strictObject({ role: z.enum(roles) }),
    reply: { 204: z.undefined() },
    errors: ['not_found', 'last_owner', 'conflict'],
    audit: 'member_role_change',
    security: true,
    handle: async ({ caller, params: { userId }, body, audit }) => {
      const also = (tx: Parameters<typeof audit>[0]) => audit(tx, caller, 204, userId)
      await identity.members.changeRole(caller, userId as UserId, body.role, also)
      return { status: 204, body: undefined }
    },
  })

const removeMember = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.members.remove',
    method: 'DELETE',
    path: '/members/{userId}',
    summary: 'End a membership',
    auth: 'admin',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    params,
    body: noBody,
    reply: { 204: z.undefined() },
    errors: ['not_found', 'last_owner', 'conflict'],
    audit: 'member_remove',
    security: true,
    handle: async ({ caller, params: { userId }, audit }) => {
      await identity.members.remove(caller, userId as UserId, (tx) => audit(tx, caller, 204, userId))
      return { status: 204, body: undefined }
    },
  })

const leaveAccount = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.members.leave',
    method: 'POST',
    path: '/members/leave',
    summary: 'Leave this account and go on in your own',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    body: noBody,
    reply: { 200: Session },
    errors: ['last_owner', 'conflict'],
    audit: 'member_leave',
    handle: async ({ caller, audit }) => {
      const access = await identity.members.leave(caller, (tx) => audit(tx, caller, 200))
      return { status: 200, body: sessionOf(access) }
    },
  })
