import { DAY } from '@seaworthy/core'
import { z } from 'zod'
import { noBody, route } from '../../../definition/index.ts'
import type { IdentityParts } from './answers.ts'
import { rates } from './rates.ts'

const ApiKey = z.object({
  id: z.string(),
  name: z.string(),
  hint: z.string(),
  role: z.string(),
  scopes: z.array(z.string()),
  createdAt: z.string(),
  expiresAt: z.string().nullable(),
  usedAt: z.string().nullable(),
})
const DAYS_MAX = 366

/** Keys that programs call with, of the account that one works in. */
export const apiKeyRoutes = (parts: IdentityParts) => [list(parts), create(parts), revoke(parts)] as const

const list = ({ identity, scopes }: IdentityParts) =>
  route({
    name: 'identity.api-keys.list',
    method: 'GET',
    path: '/api-keys',
    summary: 'API keys of this account, and what they can be made for',
    auth: 'admin',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(ApiKey), scopes: z.array(z.string()) }) },
    handle: async ({ caller }) => {
      const keys = await identity.apiKeys.list(caller)
      const items = keys.map(({ id, name, hint, role, scopes: made, createdAt, expiresAt, usedAt }) => ({
        id,
        name,
        hint,
        role,
        scopes: [...made],
        createdAt: createdAt.toISOString(),
        expiresAt: expiresAt?.toISOString() ?? null,
        usedAt: usedAt?.toISOString() ?? null,
      }))
      return { status: 200, body: { items, scopes: [...scopes] } }
    },
  })

const create = ({ identity, scopes }: IdentityParts) =>
  route({
    name: 'identity.api-keys.create',
    method: 'POST',
    path: '/api-keys',
    summary: 'Make an API key; it is shown in this answer only',
    auth: 'admin',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    body: z.strictObject({
      name: z.string().trim().min(1).max(80),
      role: z.enum(['viewer', 'member', 'admin']),
      scopes: z.array(z.enum(scopes)).min(1).max(50),
      days: z.number().int().min(1).max(DAYS_MAX).optional(),
    }),
    reply: { 201: z.object({ id: z.string(), key: z.string() }) },
    errors: ['conflict'],
    audit: 'api_key_create',
    security: true,
    handle: async ({ caller, body, audit }) => {
      const expiresAt = body.days === undefined ? undefined : new Date(Date.now() + body.days * DAY)
      const wanted = { ...body, scopes: [...new Set(body.scopes)], expiresAt }
      const made = await identity.apiKeys.create(caller, wanted, (tx) => audit(tx, caller, 201))
      return { status: 201, body: made, resource: made.id }
    },
  })

const revoke = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.api-keys.revoke',
    method: 'DELETE',
    path: '/api-keys/{id}',
    summary: 'End an API key',
    auth: 'admin',
    limit: rates.general,
    transaction: 'none',
    params: z.strictObject({ id: z.uuid() }),
    body: noBody,
    reply: { 204: z.undefined() },
    audit: 'api_key_revoke',
    security: true,
    handle: async ({ caller, params, audit }) => {
      await identity.apiKeys.revoke(caller, params.id, (tx) => audit(tx, caller, 204, params.id))
      return { status: 204, body: undefined }
    },
  })
