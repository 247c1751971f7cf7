import { z } from 'zod'
import { noBody, route } from '../../../definition/index.ts'
import type { IdentityParts } from './answers.ts'
import { rates } from './rates.ts'

const Device = z.object({
  id: z.string(),
  device: z.string(),
  network: z.string(),
  createdAt: z.string(),
  usedAt: z.string(),
  current: z.boolean(),
})

/** Where one is signed in, and the end of it. */
export function deviceRoutes({ identity }: IdentityParts) {
  const list = route({
    name: 'identity.sessions.list',
    method: 'GET',
    path: '/sessions',
    summary: 'Where you are signed in',
    auth: 'viewer',
    limit: rates.general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(Device) }) },
    handle: async ({ caller }) => {
      const sessions = await identity.sessions.list(caller)
      const items = sessions.map(({ id, device, network, createdAt, usedAt }) => ({
        id,
        device,
        network,
        createdAt: createdAt.toISOString(),
        usedAt: usedAt.toISOString(),
        current: id === caller.sessionId,
      }))
      return { status: 200, body: { items } }
    },
  })
  const end = route({
    name: 'identity.sessions.end',
    method: 'DELETE',
    path: '/sessions/{id}',
    summary: 'Sign out somewhere',
    auth: 'viewer',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    params: z.strictObject({ id: z.uuid() }),
    body: noBody,
    reply: { 204: z.undefined() },
    audit: 'session_end',
    security: true,
    handle: async ({ caller, params, audit }) => {
      await identity.sessions.end(caller, params.id, (tx) => audit(tx, caller, 204, params.id))
      return { status: 204, body: undefined }
    },
  })
  const endOthers = route({
    name: 'identity.sessions.end-others',
    method: 'POST',
    path: '/sessions/end-others',
    summary: 'Sign out everywhere else',
    auth: 'viewer',
    fresh: true,
    limit: rates.general,
    transaction: 'none',
    body: noBody,
    reply: { 200: z.object({ ended: z.number().int() }) },
    audit: 'sessions_end_others',
    security: true,
    handle: async ({ caller, audit }) => {
      const ended = await identity.sessions.endOthers(caller, (tx) => audit(tx, caller, 200))
      return { status: 200, body: { ended } }
    },
  })
  return [list, end, endOthers] as const
}
