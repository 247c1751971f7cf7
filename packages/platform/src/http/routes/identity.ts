import { type Caller, fault } from '@seaworthy/core'
import { z } from 'zod'
import { defineApp, noBody, rate, route, type Transaction } from '../../definition/index.ts'
import type { Identity, SignedIn } from '../../identity/index.ts'

const MINUTES_15 = 15 * 60_000
const rates = {
  auth: rate('identity.auth', 5, MINUTES_15, { per: 'network', setting: 'rateAuthMax' }),
  session: rate('identity.session', 300, MINUTES_15, { per: 'network' }),
  general: rate('identity.general', 100, MINUTES_15, { setting: 'rateMax' }),
}

const email = z
  .string()
  .trim()
  .min(3)
  .max(254)
  .regex(/^[^\s@]+@[^\s@]+\.[^\s@]+$/, 'is not an e-mail address')
const password = z.string().min(8, 'must have at least 8 characters').max(128, 'may have at most 128 characters')

const Session = z.object({
  accessToken: z.string(),
  expiresInSeconds: z.number().int(),
  user: z.object({ id: z.string(), accountId: z.string(), role: z.string(), operator: z.boolean() }),
})

export interface IdentityRouteSettings {
  readonly refreshMs: number
  readonly secure: boolean
}

interface Parts {
  readonly identity: Identity
  readonly cookie: ReturnType<typeof cookieOf>
}

/**
 * Sign-up, sign-in, refresh and sign-out, as routes like all others. The refresh token lives in a cookie that no
 * script can read.
 */
export function identityApp(identity: Identity, settings: IdentityRouteSettings) {
  const parts = { identity, cookie: cookieOf(settings) }
  return defineApp({
    name: 'identity',
    title: 'Accounts and sign-in',
    routes: [...entryRoutes(parts), ...sessionRoutes(parts)],
  })
}

/** How people come in. */
function entryRoutes({ identity, cookie }: Parts) {
  const signUp = route({
    name: 'identity.sign-up',
    method: 'POST',
    path: '/sign-up',
    summary: 'Make an account and sign in',
    auth: 'public',
    limit: rates.auth,
    transaction: 'none',
    body: z.strictObject({ email, password, operatorToken: z.string().max(100).optional() }),
    reply: { 201: Session },
    errors: ['email_taken', 'link_expired'],
    audit: 'sign_up',
    security: true,
    handle: async ({ body, header, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 201)
      const device = deviceOf(header, network)
      return answerWith(cookie, 201, await identity.signUp(body, device, { operatorToken: body.operatorToken, also }))
    },
  })
  const signIn = route({
    name: 'identity.sign-in',
    method: 'POST',
    path: '/sign-in',
    summary: 'Sign in with e-mail and password',
    auth: 'public',
    limit: rates.auth,
    transaction: 'none',
    body: z.strictObject({ email: z.string().max(254), password: z.string().max(128) }),
    reply: { 200: Session },
    errors: ['wrong_credentials'],
    audit: 'sign_in',
    security: true,
    handle: async ({ body, header, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 200)
      return answerWith(cookie, 200, await identity.signIn(body, deviceOf(header, network), also))
    },
  })
  return [signUp, signIn] as const
}

/** What keeps a sign-in going, tells about it and ends it. */
function sessionRoutes({ identity, cookie }: Parts) {
  const refresh = route({
    name: 'identity.refresh',
    method: 'POST',
    path: '/refresh',
    summary: 'A new access token for the cookie of the last one',
    auth: 'public',
    limit: rates.session,
    transaction: 'none',
    body: noBody,
    reply: { 200: Session, 204: z.undefined() },
    audit: 'session_refresh',
    handle: async ({ cookie: read, audit }) => {
      const token = read(cookie.name)
      // A visitor who never signed in is no failure: nothing to refresh, nothing to report.
      if (!token) return { status: 204, body: undefined }
      return answerWith(cookie, 200, await identity.refresh(token, (tx, caller) => audit(tx, caller, 200)))
    },
  })
  const signOut = route({
    name: 'identity.sign-out',
    method: 'POST',
    path: '/sign-out',
    summary: 'End this sign-in',
    auth: 'viewer',
    limit: rates.session,
    transaction: 'none',
    body: noBody,
    reply: { 204: z.undefined() },
    audit: 'sign_out',
    security: true,
    handle: async ({ caller, audit }) => {
      await identity.signOut(caller.sessionId, (tx) => audit(tx, caller, 204))
      return {
        status: 204,
        body: undefined,
        headers: { 'set-cookie': cookie.clear, 'clear-site-data': '"cache"' },
      }
    },
  })
  const me = route({
    name: 'identity.me',
    method: 'GET',
    path: '/me',
    summary: 'Who is signed in',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ id: z.string(), email: z.string(), role: z.string(), operator: z.boolean() }) },
    handle: async ({ caller }) => {
      const { email: address } = await identity.profile(caller)
      if (!address) throw fault('not_found')
      return { status: 200, body: { id: caller.userId, email: address, role: caller.role, operator: caller.operator } }
    },
  })
  return [refresh, signOut, me] as const
}

const answerWith = <const S extends number>(cookie: Parts['cookie'], status: S, { caller, ...tokens }: SignedIn) => ({
  status,
  body: {
    accessToken: tokens.accessToken,
    expiresInSeconds: tokens.expiresInSeconds,
    user: { id: caller.userId, accountId: caller.accountId, role: caller.role, operator: caller.operator },
  },
  headers: { 'set-cookie': cookie.set(tokens.refreshToken) },
  resource: caller.userId,
})

/** With https the browser itself guarantees by the name's prefix that the cookie came over TLS. */
function cookieOf(settings: IdentityRouteSettings) {
  const name = settings.secure ? '__Secure-refresh' : 'refresh'
  const attributes = `Path=/api/identity; HttpOnly; SameSite=Strict${settings.secure ? '; Secure' : ''}`
  return {
    name,
    set: (token: string) => `${name}=${token}; Max-Age=${Math.floor(settings.refreshMs / 1_000)}; ${attributes}`,
    clear: `${name}=; Max-Age=0; ${attributes}`,
  }
}

const deviceOf = (header: (name: string) => string | undefined, network: string) => ({
  network,
  name: header('user-agent') ?? 'unknown',
})
