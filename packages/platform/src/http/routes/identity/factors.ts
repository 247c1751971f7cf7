import { z } from 'zod'
import { noBody, route } from '../../../definition/index.ts'
import type { IdentityParts } from './answers.ts'
import { rates } from './rates.ts'

const code = z.string().trim().min(6).max(20)
const Codes = z.object({ recoveryCodes: z.array(z.string()) })

/** An authenticator app as the second step of signing in, and codes for whoever loses it. */
export const factorRoutes = (parts: IdentityParts) =>
  [state(parts), enrol(parts), confirm(parts), renewCodes(parts), remove(parts)] as const

const state = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.totp.state',
    method: 'GET',
    path: '/totp',
    summary: 'Whether signing in needs a code, and how many recovery codes are left',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ totp: z.boolean(), recoveryCodes: z.number().int() }) },
    handle: async ({ caller }) => ({ status: 200, body: await identity.secondFactor.state(caller) }),
  })

const enrol = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.totp.enrol',
    method: 'POST',
    path: '/totp/enrol',
    summary: 'A secret for an authenticator app; it counts once a code of it was given',
    auth: 'viewer',
    fresh: true,
    limit: rates.confirm,
    transaction: 'none',
    body: noBody,
    reply: { 200: z.object({ secret: z.string(), url: z.string() }) },
    errors: ['conflict'],
    audit: 'totp_enrol',
    handle: async ({ caller, audit }) => ({
      status: 200,
      body: await identity.secondFactor.enrol(caller, (tx) => audit(tx, caller, 200)),
    }),
  })

const confirm = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.totp.confirm',
    method: 'POST',
    path: '/totp/confirm',
    summary: 'The first code of the app: from now on signing in needs one. Gives recovery codes, once',
    auth: 'viewer',
    fresh: true,
    limit: rates.confirm,
    transaction: 'none',
    body: z.strictObject({ code }),
    reply: { 200: Codes },
    errors: ['wrong_code', 'conflict'],
    audit: 'totp_confirm',
    security: true,
    handle: async ({ caller, body, audit }) => {
      const codes = await identity.secondFactor.confirm(caller, body.code, (tx) => audit(tx, caller, 200))
      return { status: 200, body: { recoveryCodes: [...codes] } }
    },
  })

const renewCodes = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.totp.recovery-codes',
    method: 'POST',
    path: '/totp/recovery-codes',
    summary: 'New recovery codes in place of the old ones',
    auth: 'viewer',
    fresh: true,
    limit: rates.confirm,
    transaction: 'none',
    body: noBody,
    reply: { 200: Codes },
    errors: ['not_found'],
    audit: 'recovery_codes_renew',
    security: true,
    handle: async ({ caller, audit }) => {
      const codes = await identity.secondFactor.renewRecoveryCodes(caller, (tx) => audit(tx, caller, 200))
      return { status: 200, body: { recoveryCodes: [...codes] } }
    },
  })

const remove = ({ identity }: IdentityParts) =>
  route({
    name: 'identity.totp.remove',
    method: 'DELETE',
    path: '/totp',
    summary: 'Sign in without a code again',
    auth: 'viewer',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    body: noBody,
    reply: { 204: z.undefined() },
    errors: ['not_found'],
    audit: 'totp_remove',
    security: true,
    handle: async ({ caller, audit }) => {
      await identity.secondFactor.remove(caller, (tx) => audit(tx, caller, 204))
      return { status: 204, body: undefined }
    },
  })
