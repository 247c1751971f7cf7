import { fault, type UserId } from '@seaworthy/core'
import { z } from 'zod'
import { type Database, sql } from '../../data/index.ts'
import { type App, defineApp, type Job, noBody, rate, route } from '../../definition/index.ts'
import type { Identity } from '../../identity/index.ts'
import { listDeadLetters, replayDeadLetter } from '../../jobs/index.ts'

const LETTERS_MAX = 100
const general = rate('operations.general', 300, 15 * 60_000)

const DeadLetter = z.object({
  id: z.string(),
  task: z.string(),
  accountId: z.string(),
  attempts: z.number().int(),
  error: z.string().nullable(),
  createdAt: z.string(),
  diedAt: z.string(),
})

/** What operators do to the installation, as routes like all others. */
export function operationsApp(database: Database, identity: Identity, apps: readonly App[]) {
  const jobs = new Map(apps.flatMap((app) => app.jobs.map((job) => [job.name, job])))
  return defineApp({
    name: 'operations',
    title: 'Operating this installation',
    peopleOnly: true,
    routes: [deadLetters(database), replay(database, jobs), findPerson(database), endSessions(identity)],
  })
}

const deadLetters = (database: Database) =>
  route({
    name: 'operations.jobs.dead',
    method: 'GET',
    path: '/jobs/dead',
    summary: 'The last hundred jobs that failed for good',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(DeadLetter) }) },
    handle: async () => {
      const letters = await listDeadLetters(database, LETTERS_MAX)
      const items = letters.map(({ id, task, accountId, attempts, errorCode, createdAt, finishedAt }) => ({
        id,
        task,
        accountId,
        attempts,
        error: errorCode,
        createdAt: createdAt.toISOString(),
        diedAt: finishedAt.toISOString(),
      }))
      return { status: 200, body: { items } }
    },
  })

const replay = (database: Database, jobs: ReadonlyMap<string, Job>) =>
  route({
    name: 'operations.jobs.replay',
    method: 'POST',
    path: '/jobs/{id}/replay',
    summary: 'Run a job that failed for good once more',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    params: z.strictObject({ id: z.uuid() }),
    body: noBody,
    reply: { 204: z.undefined() },
    errors: ['not_found', 'insufficient_credits'],
    audit: 'job_replay',
    handle: async ({ caller, params, audit }) => {
      const known = (task: string): Job => {
        const job = jobs.get(task)
        if (!job) throw fault('not_found', { detail: `This release has no job ${task}.` })
        return job
      }
      await replayDeadLetter(
        database,
        params.id,
        (task) => known(task).attempts,
        async ({ task, input, accountId }, tx) => {
          await known(task).onReplay?.({ input, caller: { accountId }, tx })
          await audit(tx, caller, 204)
        },
      )
      return { status: 204, body: undefined, resource: params.id }
    },
  })

const Person = z.object({
  id: z.string(),
  email: z.string(),
  operator: z.boolean(),
  createdAt: z.string(),
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
          tx.many<{ id: string; email: string; operator: boolean; createdAt: Date; sessions: number }>(sql`
            select u.id, u.email, u.operator, u.created_at as "createdAt",
              (select count(*)::int from seaworthy.sessions s where s.user_id = u.id and s.revoked_at is null and s.expires_at > now()) as sessions
            from seaworthy.users u where lower(u.email) = lower(${query.email.trim()})`),
        { readOnly: true },
      )
      return { status: 200, body: { items: found.map((one) => ({ ...one, createdAt: one.createdAt.toISOString() })) } }
    },
  })

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
    params: z.strictObject({ id: z.uuid() }),
    body: noBody,
    reply: { 200: z.object({ ended: z.number().int() }) },
    errors: ['not_found'],
    audit: 'person_sessions_end',
    handle: async ({ caller, params, audit }) => {
      const ended = await identity.sessions.endAllOf(params.id as UserId, (tx) => audit(tx, caller, 200, params.id))
      return { status: 200, body: { ended }, resource: params.id }
    },
  })
