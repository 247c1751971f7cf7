import type { Caller } from '@seaworthy/core'
import { z } from 'zod'
import { noBody, route, type Transaction } from '../../../definition/index.ts'
import { email, type IdentityParts, linkToken, OnItsWay } from './answers.ts'
import { rates } from './rates.ts'

/** The address that one signs in with: shown to be one's own, and changed. */
export const addressRoutes = (parts: IdentityParts) => [verify(parts), resend(parts), change(parts)] as const

const verify = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.email.verify',
    method: 'POST',
    path: '/email/verify',
    summary: 'Confirm an address by the link of a mail',
    auth: 'public',
    limit: rates.links,
    transaction: 'none',
    body: z.strictObject({ token: linkToken }),
    reply: { 200: z.object({ email: z.string(), changed: z.boolean() }) },
    errors: ['link_expired', 'email_taken'],
    audit: 'email_verify',
    handle: async ({ body, audit }) => {
      const also = (tx: Transaction, who: Caller) => audit(tx, who, 200, who.userId)
      return { status: 200, body: await identity.addresses.confirm(body.token, also) }
    },
  })

const resend = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.email.resend',
    method: 'POST',
    path: '/email/resend',
    summary: 'Send the mail that confirms the address once more',
    auth: 'viewer',
    limit: rates.own,
    transaction: 'none',
    body: noBody,
    reply: { 202: OnItsWay },
    audit: 'email_verify_resend',
    handle: async ({ caller, audit }) => {
      await identity.addresses.resend(caller, (tx) => audit(tx, caller, 202))
      return { status: 202, body: { message: 'Unless the address is confirmed already, a mail is on its way to it.' } }
    },
  })

const change = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.email.change',
    method: 'POST',
    path: '/email/change',
    summary: 'Use another address, from the moment on that it is confirmed',
    auth: 'viewer',
    fresh: true,
    limit: rates.own,
    transaction: 'none',
    body: z.strictObject({ email }),
    reply: { 202: OnItsWay },
    audit: 'email_change',
    security: true,
    handle: async ({ caller, body, audit }) => {
      await identity.addresses.change(caller, body.email, (tx) => audit(tx, caller, 202))
      return {
        status: 202,
        body: { message: 'A mail is on its way to the new address. It counts once it is confirmed.' },
      }
    },
  })
