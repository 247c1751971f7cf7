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
export function entryRoutes({ identity, guard, cookie, device: known }: IdentityParts) {
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
    security: true,
    handle: async ({ body, header, cookie: read, network, audit, flags }) => {
      if (!flags.valueOf(signUps) && !body.operatorToken) throw fault('sign_ups_closed')
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 201)
      const device = deviceOf(header, network)
      const signedIn = await identity.signUp(body, device, { operatorToken: body.operatorToken, also })
      return answerWith(cookie, 201, signedIn, known.set(guard.vouch(body.email, read(known.name))))
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
    errors: ['wrong_credentials', 'too_many_requests'],
    audit: 'sign_in',
    security: true,
    handle: async ({ body, header, cookie: read, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 200)
      const device = read(known.name)
      const entered = await guard.protect({ kind: 'password', subject: body.email, device }, () =>
        identity.signIn(body, deviceOf(header, network), also),
      )
      if ('ticket' in entered) return { status: 202, body: entered }
      return answerWith(cookie, 200, entered, known.set(guard.vouch(body.email, device)))
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
    security: true,
    handle: async ({ body, header, cookie: read, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 200)
      const signedIn = await identity.signInWithCode(body, deviceOf(header, network), also)
      const { email: address } = await identity.profile(signedIn.caller)
      return answerWith(cookie, 200, signedIn, known.set(guard.vouch(address, read(known.name))))
    },
  })
  return [signUp, signIn, signInWithCode] as const
}
