import { type Caller, fault } from '@seaworthy/core'
import { z } from 'zod'
import { route, type Transaction } from '../../../definition/index.ts'
import { answerWith, deviceOf, givenPassword, type IdentityParts, Session } from './answers.ts'
import { rates } from './rates.ts'

/** Who one is, and showing it again. */
export function selfRoutes({ identity, cookie }: IdentityParts) {
  const me = route({
    name: 'identity.me',
    method: 'GET',
    path: '/me',
    summary: 'Who is signed in',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    reply: {
      200: z.object({
        id: z.string(),
        email: z.string(),
        emailVerified: z.boolean(),
        role: z.string(),
        operator: z.boolean(),
      }),
    },
    handle: async ({ caller }) => {
      const { userId: id, role, operator } = caller
      const { email: address, emailVerified } = await identity.profile(caller)
      if (!address) throw fault('not_found')
      return { status: 200, body: { id, email: address, emailVerified, role, operator } }
    },
  })
  const confirm = route({
    name: 'identity.confirm',
    method: 'POST',
    path: '/confirm',
    summary: 'Show again who you are, before a sensitive change',
    auth: 'viewer',
    limit: rates.confirm,
    transaction: 'none',
    body: z.strictObject({ password: givenPassword }),
    reply: { 200: Session },
    errors: ['wrong_credentials'],
    audit: 'sign_in_confirm',
    security: true,
    handle: async ({ caller, body, header, network, audit }) => {
      const also = (tx: Transaction, who: Caller) => audit(tx, who, 200)
      const device = deviceOf(header, network)
      return answerWith(cookie, 200, await identity.reauthenticate(caller, body.password, device, also))
    },
  })
  return [me, confirm] as const
}
