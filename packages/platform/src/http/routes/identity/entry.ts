import type { Caller } from '@seaworthy/core'
import { z } from 'zod'
import { route, type Transaction } from '../../../definition/index.ts'
import { answerWith, deviceOf, email, givenPassword, type IdentityParts, password, Session } from './answers.ts'
import { rates } from './rates.ts'

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
    errors: ['email_taken', 'link_expired'],
    audit: 'sign_up',
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
    body: z.strictObject({ email: z.string().max(254), password: givenPassword }),
    reply: { 200: Session },
    errors: ['wrong_credentials'],
    audit: 'sign_in',
    handle: async ({ body, header, network, audit }) => {
      const also = (tx: Transaction, caller: Caller) => audit(tx, caller, 200)
      return answerWith(cookie, 200, await identity.signIn(body, deviceOf(header, network), also))
    },
  })
  return [signUp, signIn] as const
}
