import { fault } from '@seaworthy/core'
import { z } from 'zod'
import type { Database } from '../../data/index.ts'
import { type App, defineApp, type Job, noBody, route } from '../../definition/index.ts'
import type { OpenFlags } from '../../flags/index.ts'
import type { Identity } from '../../identity/index.ts'
import { listDeadLetters, replayDeadLetter } from '../../jobs/index.ts'
import { flagRoutes } from './flags.ts'
import { mailRoutes } from './operations-mail.ts'
import { general } from './operations-rates.ts'
import { type RecoveryRoom, recoveryRoutes } from './operations-recovery.ts'
import { personRoutes } from './people.ts'
import { securityEvents } from './security-events.ts'

const LETTERS_MAX = 100

const DeadLetter = z.object({
  id: z.string(),
  task: z.string(),
  accountId: z.string(),
  attempts: z.number().int(),
  error: z.string().nullable(),
  createdAt: z.string(),
  diedAt: z.string(),
})

export interface OperationsParts {
  readonly database: Database
  readonly identity: Identity
  readonly flags: OpenFlags
  readonly apps: readonly App[]
  /** A mail server is set: then nobody but the recipient reads what a mail says. */
  readonly deliversMail: boolean
  /** Undefined where nothing is backed up. */
  readonly recovery?: RecoveryRoom | undefined
}

/** What operators do to the installation, as routes like all others. */
export function operationsApp({ database, identity, flags, apps, deliversMail, recovery }: OperationsParts) {
  const jobs = new Map(apps.flatMap((app) => app.jobs.map((job) => [job.name, job])))
  return defineApp({
    name: 'operations',
    title: 'Operating this installation',
    peopleOnly: true,
    routes: [
      deadLetters(database),
      replay(database, jobs),
      ...personRoutes(database, identity),
      ...flagRoutes(flags),
      ...mailRoutes(database, deliversMail),
      ...recoveryRoutes(recovery),
      securityEvents(database, general),
    ],
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
    security: true,
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
