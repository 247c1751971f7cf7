import { type Caller, fault } from '@seaworthy/core'
import { z } from 'zod'
import { flag, route, type Transaction } from '../../../definition/index.ts'
import { answerWith, deviceOf, email, givenPassword, type IdentityParts, password, Session } from './answers.ts'
import { rates } from './rates.ts'

/** Turned off, nobody makes an account but the first operator with the link. */
export const signUps = flag({
  name: 'identity.sign-ups',
  values: [true, false],
  default: true,
  text: 'Whether new people can make an account.',
})

/** How people come in. */
export function entryRoutes({ identity, cookie }: IdentityParts) {
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
    errors: ['email_taken', 'link_expired', 'sign_ups_closed', 'password_too_common'],
    audit: 'sign_up',
    handle: async ({ body, header, network, audit, flags }) => {
      if (!flags.valueOf(signUps) && !body.operatorToken) throw fault('sign_ups_closed')
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
    body: z.strictObject({ email: z.string().max(254), password: givenPassword }),
    reply: { 200: Session, 202: z.object({ ticket: z.string() }) },
    errors: ['wrong_credentials'],
    audit: 'sign_in',
    handle: async ({ body, header, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 200)
      const entered = await identity.signIn(body, deviceOf(header, network), also)
      return 'ticket' in entered ? { status: 202, body: entered } : answerWith(cookie, 200, entered)
    },
  })
  const signInWithCode = route({
    name: 'identity.sign-in-code',
    method: 'POST',
    path: '/sign-in/code',
    summary: 'The second step of signing in: a code of the app, or a recovery code',
    auth: 'public',
    limit: rates.session,
    transaction: 'none',
    body: z.strictObject({ ticket: z.string().max(100), code: z.string().trim().min(6).max(50) }),
    reply: { 200: Session },
    errors: ['wrong_code', 'challenge_expired'],
    audit: 'sign_in_code',
    handle: async ({ body, header, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 200)
      return answerWith(cookie, 200, await identity.signInWithCode(body, deviceOf(header, network), also))
    },
  })
  return [signUp, signIn, signInWithCode] as const
}
