import type { AccountId } from '@seaworthy/core'
import { z } from 'zod'
import { noBody, route } from '../../../definition/index.ts'
import { type IdentityParts, Session, sessionOf } from './answers.ts'
import { rates } from './rates.ts'

const Account = z.object({
  id: z.string(),
  name: z.string(),
  role: z.string(),
  personal: z.boolean(),
  members: z.number().int(),
  current: z.boolean(),
})
const accountName = z.string().trim().min(1, 'needs a name').max(80, 'may have at most 80 characters')
const params = z.strictObject({ id: z.uuid() })

/** The accounts one belongs to, and in which of them one works. */
export const accountRoutes = (parts: IdentityParts) =>
  [listAccounts(parts), createAccount(parts), renameAccount(parts), switchAccount(parts)] as const

const listAccounts = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.accounts.list',
    method: 'GET',
    path: '/accounts',
    summary: 'The accounts you belong to',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(Account) }) },
    handle: async ({ caller }) => {
      const found = await identity.accounts.list(caller)
      return { status: 200, body: { items: found.map((one) => ({ ...one, current: one.id === caller.accountId })) } }
    },
  })

const createAccount = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.accounts.create',
    method: 'POST',
    path: '/accounts',
    summary: 'Make an account to share with others; you are its owner',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    body: z.strictObject({ name: accountName }),
    reply: { 201: z.object({ id: z.string() }) },
    errors: ['conflict'],
    audit: 'account_create',
    handle: async ({ caller, body, audit }) => {
      const made = await identity.accounts.create(caller, body.name, (tx, owner) =>
        audit(tx, owner, 201, owner.accountId),
      )
      return { status: 201, body: made, resource: made.id }
    },
  })

const renameAccount = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.accounts.rename',
    method: 'PATCH',
    path: '/accounts/{id}',
    summary: 'Rename the account that you work in',
    auth: 'admin',
    limit: rates.general,
    transaction: 'none',
    params,
    body: z.strictObject({ name: accountName }),
    reply: { 204: z.undefined() },
    errors: ['not_found'],
    audit: 'account_rename',
    handle: async ({ caller, params: { id }, body, audit }) => {
      await identity.accounts.rename(caller, id as AccountId, body.name, (tx) => audit(tx, caller, 204, id))
      return { status: 204, body: undefined }
    },
  })

const switchAccount = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.accounts.switch',
    method: 'POST',
    path: '/accounts/{id}/switch',
    summary: 'Go on in another of your accounts',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    params,
    body: noBody,
    reply: { 200: Session },
    errors: ['not_found'],
    audit: 'account_switch',
    handle: async ({ caller, params: { id }, audit }) => {
      const access = await identity.accounts.switchTo(caller, id as AccountId, (tx, now) => audit(tx, now, 200, id))
      return { status: 200, body: sessionOf(access), resource: id }
    },
  })
