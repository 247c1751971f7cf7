import type { UserId } from '@seaworthy/core'
import { z } from 'zod'
import { type Database, sql } from '../../data/index.ts'
import { noBody, rate, route } from '../../definition/index.ts'
import type { Identity } from '../../identity/index.ts'

const general = rate('operations.people', 100, 15 * 60_000)

/** Finding somebody, ending their sign-ins, keeping them out. */
export const personRoutes = (database: Database, identity: Identity) =>
  [findPerson(database), endSessions(identity), block(identity)] as const

const Person = z.object({
  id: z.string(),
  email: z.string(),
  operator: z.boolean(),
  createdAt: z.string(),
  blocked: z.boolean(),
  sessions: z.number().int(),
})

const findPerson = (database: Database) =>
  route({
    name: 'operations.people.find',
    method: 'GET',
    path: '/people',
    summary: 'Somebody by the whole e-mail address',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    query: z.strictObject({ email: z.string().min(3).max(254) }),
    reply: { 200: z.object({ items: z.array(Person) }) },
    handle: async ({ query }) => {
      const found = await database.withDuty(
        'identity',
        (tx) =>
          tx.many<{
            id: string
            email: string
            operator: boolean
            createdAt: Date
            blocked: boolean
            sessions: number
          }>(sql`
            select u.id, u.email, u.operator, u.created_at as "createdAt", u.blocked_at is not null as blocked,
              (select count(*)::int from seaworthy.sessions s where s.user_id = u.id and s.revoked_at is null and s.expires_at > now()) as sessions
            from seaworthy.users u where u.id = seaworthy.user_by_address(${query.email.trim()})`),
        { readOnly: true },
      )
      return { status: 200, body: { items: found.map((one) => ({ ...one, createdAt: one.createdAt.toISOString() })) } }
    },
  })

const params = z.strictObject({ id: z.uuid() })

const endSessions = (identity: Identity) =>
  route({
    name: 'operations.people.end-sessions',
    method: 'POST',
    path: '/people/{id}/end-sessions',
    summary: 'End every sign-in of somebody',
    auth: 'operator',
    fresh: true,
    limit: general,
    transaction: 'none',
    params,
    body: noBody,
    reply: { 204: z.undefined() },
    errors: ['not_found'],
    audit: 'person_sessions_end',
    security: true,
    handle: async ({ caller, params: { id }, audit }) => {
      await identity.sessions.endAllOf(id as UserId, (tx) => audit(tx, caller, 204, id))
      return { status: 204, body: undefined }
    },
  })

const block = (identity: Identity) =>
  route({
    name: 'operations.people.block',
    method: 'PUT',
    path: '/people/{id}/block',
    summary: 'Let somebody in no more, or again',
    auth: 'operator',
    fresh: true,
    limit: general,
    transaction: 'none',
    params,
    body: z.strictObject({ blocked: z.boolean() }),
    reply: { 204: z.undefined() },
    errors: ['not_found'],
    audit: 'person_block',
    security: true,
    handle: async ({ caller, params: { id }, body, audit }) => {
      const act = body.blocked ? identity.sessions.block : identity.sessions.unblock
      await act(id as UserId, (tx) => audit(tx, caller, 204, id))
      return { status: 204, body: undefined }
    },
  })
