import { Secret } from '@seaworthy/core'
import { z } from 'zod'
import { defineApp, noBody, rate, route } from '../../definition/index.ts'
import { deleteProviderKey, listProviderKeys, type ProviderKey, putProviderKey, type Vault } from '../../vault/index.ts'

const MINUTES_15 = 15 * 60_000
const general = rate('vault.general', 100, MINUTES_15, { setting: 'rateMax' })
/** Shorter ones would be given away by their last four characters. */
const SECRET_MIN = 16
const SECRET_MAX = 4_096

const Shown = z.object({
  id: z.string(),
  /** Such as `openai`. */
  name: z.string(),
  /** Enough to recognise it. The rest is never shown again. */
  lastFour: z.string(),
  createdAt: z.string(),
  updatedAt: z.string(),
})

/** Keys that an account keeps for its providers: written once, used by jobs, shown to nobody. */
export const vaultApp = (vault: Vault) =>
  defineApp({
    name: 'vault',
    title: 'Keys of your providers',
    peopleOnly: true,
    routes: [list(vault), put(vault), remove],
  })

const list = (vault: Vault) =>
  route({
    name: 'vault.provider-keys.list',
    method: 'GET',
    path: '/provider-keys',
    summary: 'The keys that this account keeps, by name and last four characters',
    auth: 'admin',
    limit: general,
    reply: { 200: z.object({ items: z.array(Shown) }) },
    handle: async ({ caller, tx }) => {
      const keys = await listProviderKeys(vault, tx, caller)
      return { status: 200, body: { items: keys.map(toShown) } }
    },
  })

const put = (vault: Vault) =>
  route({
    name: 'vault.provider-keys.put',
    method: 'PUT',
    path: '/provider-keys',
    summary: 'Keep a key, or replace the one of this name',
    auth: 'admin',
    limit: general,
    body: z.strictObject({
      name: z
        .string()
        .regex(/^[a-z0-9][a-z0-9._-]{0,39}$/, 'must be lower case letters, digits, dots and dashes, at most 40'),
      secret: z
        .string()
        .min(SECRET_MIN)
        .max(SECRET_MAX)
        .regex(/^[\x21-\x7e]+$/, 'must be visible characters without spaces'),
    }),
    reply: { 200: Shown },
    errors: ['quota_exceeded'],
    fresh: true,
    audit: 'provider_key_put',
    handle: async ({ body, caller, tx }) => {
      const key = await putProviderKey(vault, tx, caller, { name: body.name, secret: new Secret(body.secret) })
      return { status: 200, body: toShown(key), resource: key.id }
    },
  })

const remove = route({
  name: 'vault.provider-keys.delete',
  method: 'DELETE',
  path: '/provider-keys/{id}',
  summary: 'Forget a key',
  auth: 'admin',
  limit: general,
  params: z.strictObject({ id: z.uuid() }),
  body: noBody,
  reply: { 204: z.undefined() },
  audit: 'provider_key_delete',
  handle: async ({ caller, params, tx }) => {
    await deleteProviderKey(tx, caller, params.id)
    return { status: 204, body: undefined, resource: params.id }
  },
})

const toShown = ({ createdAt, updatedAt, ...key }: ProviderKey): z.input<typeof Shown> => ({
  ...key,
  createdAt: createdAt.toISOString(),
  updatedAt: updatedAt.toISOString(),
})
