import { z } from 'zod'
import { noBody, route } from '../../../definition/index.ts'
import { email, type IdentityParts } from './answers.ts'
import { rates } from './rates.ts'

const Invitation = z.object({
  id: z.string(),
  email: z.string(),
  role: z.string(),
  invitedBy: z.string().nullable(),
  createdAt: z.string(),
  expiresAt: z.string(),
})
const Offer = z.object({
  accountId: z.string(),
  account: z.string(),
  role: z.string(),
  invitedBy: z.string().nullable(),
  forCaller: z.boolean(),
})
const withToken = z.strictObject({ token: z.string().min(1).max(100) })

/** Links that make others members of the account one works in, and what one does with such a link. */
export const invitationRoutes = (parts: IdentityParts) =>
  [listInvitations(parts), invite(parts), revokeInvitation(parts), readInvitation(parts), accept(parts)] as const

const listInvitations = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.invitations.list',
    method: 'GET',
    path: '/invitations',
    summary: 'Invitations to this account that are open',
    auth: 'admin',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(Invitation) }) },
    handle: async ({ caller }) => {
      const found = await identity.invitations.list(caller)
      const items = found.map(({ createdAt, expiresAt, ...shown }) => ({
        ...shown,
        createdAt: createdAt.toISOString(),
        expiresAt: expiresAt.toISOString(),
      }))
      return { status: 200, body: { items } }
    },
  })

const invite = ({ identity, publicUrl }: IdentityParts) =>
  route({
    name: 'identity.invitations.create',
    method: 'POST',
    path: '/invitations',
    summary: 'Invite an address; the link is shown in this answer only',
    auth: 'admin',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    body: z.strictObject({ email, role: z.enum(['viewer', 'member', 'admin']) }),
    reply: { 201: z.object({ id: z.string(), link: z.string(), expiresAt: z.string() }) },
    errors: ['conflict'],
    audit: 'invitation_create',
    handle: async ({ caller, body, audit }) => {
      const made = await identity.invitations.invite(caller, body, (tx, id) => audit(tx, caller, 201, id))
      // Behind the mark: what is there is never sent to a server, so that no log has it.
      const link = new URL(`/join#token=${made.token}`, publicUrl).href
      const expiresAt = made.expiresAt.toISOString()
      return { status: 201, body: { id: made.id, link, expiresAt }, resource: made.id }
    },
  })

const revokeInvitation = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.invitations.revoke',
    method: 'DELETE',
    path: '/invitations/{id}',
    summary: 'Take an invitation back',
    auth: 'admin',
    limit: rates.general,
    transaction: 'none',
    params: z.strictObject({ id: z.uuid() }),
    body: noBody,
    reply: { 204: z.undefined() },
    audit: 'invitation_revoke',
    handle: async ({ caller, params, audit }) => {
      await identity.invitations.revoke(caller, params.id, (tx) => audit(tx, caller, 204, params.id))
      return { status: 204, body: undefined }
    },
  })

const readInvitation = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.invitations.read',
    method: 'POST',
    path: '/invitations/read',
    summary: 'What an invitation is for',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    // In the body: addresses are written down on their way.
    body: withToken,
    reply: { 200: Offer },
    errors: ['link_expired'],
    audit: 'invitation_read',
    handle: async ({ caller, body }) => ({ status: 200, body: await identity.invitations.read(caller, body.token) }),
  })

const accept = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.invitations.accept',
    method: 'POST',
    path: '/invitations/accept',
    summary: 'Become a member of the account that invites you',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    body: withToken,
    reply: { 200: Offer },
    errors: ['link_expired', 'invitation_for_another', 'conflict'],
    audit: 'invitation_accept',
    handle: async ({ caller, body, audit }) => {
      const offer = await identity.invitations.accept(caller, body.token, (tx, member) =>
        audit(tx, member, 200, member.userId),
      )
      return { status: 200, body: offer, resource: caller.userId }
    },
  })
