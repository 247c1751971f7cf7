import type { Caller } from '@seaworthy/core'
import { z } from 'zod'
import { route, type Transaction } from '../../../definition/index.ts'
import { givenPassword, type IdentityParts, linkToken, OnItsWay, password } from './answers.ts'
import { rates } from './rates.ts'

/** A password that was forgotten, and one that is changed. */
export const passwordRoutes = (parts: IdentityParts) => [forgot(parts), reset(parts), change(parts)] as const

const forgot = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.password.forgot',
    method: 'POST',
    path: '/password/forgot',
    summary: 'Ask for a mail with a link to a new password; the answer is the same whether there is an account or not',
    auth: 'public',
    limit: rates.forgot,
    transaction: 'none',
    body: z.strictObject({ email: z.string().max(254) }),
    reply: { 202: OnItsWay },
    audit: 'password_forgot',
    handle: async ({ body }) => {
      await identity.passwords.forgot(body.email)
      return { status: 202, body: { message: 'If there is an account with this address, a mail is on its way to it.' } }
    },
  })

/** Whoever came by the link owns the address: from now on strangers who guess cannot lock this browser out. */
const reset = ({ identity, guard, cookie, device: known }: IdentityParts) =>
  route({
    name: 'identity.password.reset',
    method: 'POST',
    path: '/password/reset',
    summary: 'Choose a new password by the link of a mail; ends every sign-in',
    auth: 'public',
    limit: rates.links,
    transaction: 'none',
    body: z.strictObject({ token: linkToken, password }),
    reply: { 204: z.undefined() },
    errors: ['link_expired', 'password_too_common'],
    audit: 'password_reset',
    security: true,
    handle: async ({ body, audit, cookie: read }) => {
      const owners: Caller[] = []
      await identity.passwords.reset(body, (tx: Transaction, who: Caller) => {
        owners.push(who)
        return audit(tx, who, 204, who.userId)
      })
      const profiles = await Promise.all(owners.map(identity.profile))
      const vouched = profiles.map(({ email }) => known.set(guard.vouch(email, read(known.name))))
      return { status: 204, body: undefined, headers: { 'set-cookie': [cookie.clear, ...vouched] } }
    },
  })

const change = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.password.change',
    method: 'POST',
    path: '/password/change',
    summary: 'Choose a new password with the old one; ends the other sign-ins',
    auth: 'viewer',
    limit: rates.own,
    transaction: 'none',
    body: z.strictObject({ current: givenPassword, password }),
    reply: { 204: z.undefined() },
    errors: ['wrong_credentials', 'password_too_common'],
    audit: 'password_change',
    security: true,
    handle: async ({ caller, body, audit }) => {
      await identity.passwords.change(caller, body, (tx) => audit(tx, caller, 204, caller.userId))
      return { status: 204, body: undefined }
    },
  })
