import { z } from 'zod'
import { noBody, route } from '../../../definition/index.ts'
import { BUILD_HEADER } from '../../web-build.ts'
import { answerWith, type IdentityParts, Session } from './answers.ts'
import { rates } from './rates.ts'

/** What keeps a sign-in going and ends it. */
export function sessionRoutes({ identity, cookie, webBuild }: IdentityParts) {
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
      const answer = answerWith(cookie, 200, await identity.refresh(token, (tx, caller) => audit(tx, caller, 200)))
      // Every page asks for this when it opens and every few minutes, so no other answer has to carry it.
      return webBuild ? { ...answer, headers: { ...answer.headers, [BUILD_HEADER]: webBuild } } : answer
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
  return [refresh, signOut] as const
}
