import type { Caller } from '@seaworthy/core'
import { z } from 'zod'
import { noBody, route, type Transaction } from '../../../definition/index.ts'
import { answerWith, deviceOf, type IdentityParts, Session } from './answers.ts'
import { rates } from './rates.ts'

const Passkey = z.object({
  id: z.string(),
  name: z.string(),
  createdAt: z.string(),
  usedAt: z.string().nullable(),
})
const ticket = z.string().max(100)
/** As WebAuthn writes it; the library checks what it means. */
const fromBrowser = z.record(z.string(), z.unknown())
const Ceremony = z.object({ ticket: z.string(), options: fromBrowser })

/** Passkeys: the device shows who one is. */
export const passkeyRoutes = (parts: IdentityParts) =>
  [list(parts), begin(parts), add(parts), remove(parts), beginSignIn(parts), signIn(parts)] as const

const list = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.passkeys.list',
    method: 'GET',
    path: '/passkeys',
    summary: 'Your passkeys',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(Passkey) }) },
    handle: async ({ caller }) => {
      const passkeys = await identity.passkeys.list(caller)
      const items = passkeys.map(({ createdAt, usedAt, ...shown }) => ({
        ...shown,
        createdAt: createdAt.toISOString(),
        usedAt: usedAt?.toISOString() ?? null,
      }))
      return { status: 200, body: { items } }
    },
  })

const begin = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.passkeys.begin',
    method: 'POST',
    path: '/passkeys/begin',
    summary: 'What the browser needs to make a passkey',
    auth: 'viewer',
    fresh: true,
    limit: rates.confirm,
    transaction: 'none',
    body: noBody,
    reply: { 200: Ceremony },
    errors: ['conflict'],
    audit: 'passkey_begin',
    handle: async ({ caller }) => {
      const ceremony = await identity.passkeys.begin(caller)
      return { status: 200, body: { ticket: ceremony.ticket, options: { ...ceremony.options } } }
    },
  })

const add = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.passkeys.add',
    method: 'POST',
    path: '/passkeys',
    summary: 'Keep the passkey that the browser made',
    auth: 'viewer',
    fresh: true,
    limit: rates.confirm,
    transaction: 'none',
    body: z.strictObject({ ticket, name: z.string().trim().min(1).max(80), answer: fromBrowser }),
    reply: { 204: z.undefined() },
    errors: ['challenge_expired', 'wrong_code', 'conflict'],
    audit: 'passkey_add',
    security: true,
    handle: async ({ caller, body, audit }) => {
      await identity.passkeys.add(caller, body, (tx) => audit(tx, caller, 204))
      return { status: 204, body: undefined }
    },
  })

const remove = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.passkeys.remove',
    method: 'POST',
    path: '/passkeys/remove',
    summary: 'Forget a passkey',
    auth: 'viewer',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    body: z.strictObject({ id: z.string().min(1).max(1_400) }),
    reply: { 204: z.undefined() },
    errors: ['not_found'],
    audit: 'passkey_remove',
    security: true,
    handle: async ({ caller, body, audit }) => {
      await identity.passkeys.remove(caller, body.id, (tx) => audit(tx, caller, 204))
      return { status: 204, body: undefined }
    },
  })

const beginSignIn = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.passkeys.begin-sign-in',
    method: 'POST',
    path: '/passkeys/sign-in/begin',
    summary: 'What the browser needs to sign in with a passkey',
    auth: 'public',
    limit: rates.session,
    transaction: 'none',
    body: noBody,
    reply: { 200: Ceremony },
    audit: 'passkey_sign_in_begin',
    handle: async () => {
      const ceremony = await identity.passkeys.beginSignIn()
      return { status: 200, body: { ticket: ceremony.ticket, options: { ...ceremony.options } } }
    },
  })

const signIn = ({ identity, cookie }: IdentityParts) =>
  route({
    name: 'identity.passkeys.sign-in',
    method: 'POST',
    path: '/passkeys/sign-in',
    summary: 'Sign in with a passkey',
    auth: 'public',
    limit: rates.auth,
    transaction: 'none',
    body: z.strictObject({ ticket, answer: fromBrowser }),
    reply: { 200: Session },
    errors: ['challenge_expired', 'wrong_credentials'],
    audit: 'sign_in_passkey',
    security: true,
    handle: async ({ body, header, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 200)
      return answerWith(cookie, 200, await identity.signInWithPasskey(body, deviceOf(header, network), also))
    },
  })
