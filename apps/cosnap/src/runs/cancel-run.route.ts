import { noBody, route } from '@seaworthy/platform/definition'
import { cancelJob } from '@seaworthy/platform/jobs'
import { releaseHold } from '@seaworthy/platform/payments'
import { z } from 'zod'
import { db } from '../database.ts'
import { faults } from '../faults.ts'
import { rates } from '../rates.ts'
import { Run, toRun } from './run.ts'

const params = z.strictObject({ id: z.uuid() })

/** While it waits: the job never starts, and the credits come back, in one transaction. */
export const cancelRun = route({
  name: 'cosnap.runs.cancel',
  method: 'POST',
  path: '/runs/{id}/cancel',
  summary: 'Cancel an effect that has not started',
  auth: 'member',
  limit: rates.general,
  params,
  body: noBody,
  reply: { 200: Run },
  errors: ['conflict'],
  audit: 'effect_cancel',
  handle: async ({ caller, params: { id }, tx, media }) => {
    const run = await tx.one(db.selectFrom('cosnap.runs').selectAll().where('id', '=', id).forUpdate())
    if (run.state === 'cancelled') return { status: 200, body: await toRun(tx, media, caller, run), resource: id }
    if (run.state !== 'queued' || !(await cancelJob(tx, run.job_id))) throw faults('already_started')
    await releaseHold(tx, run.hold_id)
    const row = await tx.one(
      db
        .updateTable('cosnap.runs')
        .set({ state: 'cancelled', finished_at: new Date() })
        .where('id', '=', id)
        .returningAll(),
    )
    return { status: 200, body: await toRun(tx, media, caller, row), resource: id }
  },
})

/** From the gallery. What was paid stays in the history of credits. */
export const deleteRun = route({
  name: 'cosnap.runs.delete',
  method: 'DELETE',
  path: '/runs/{id}',
  summary: 'Delete a finished effect',
  auth: 'member',
  limit: rates.general,
  params,
  body: noBody,
  reply: { 204: z.undefined() },
  errors: ['conflict'],
  audit: 'effect_delete',
  handle: async ({ params: { id }, tx, media }) => {
    const run = await tx.one(
      db.selectFrom('cosnap.runs').select(['id', 'state', 'result_hash']).where('id', '=', id).forUpdate(),
    )
    if (run.state === 'queued') throw faults('still_running')
    if (run.result_hash) await media.discard(tx, run.result_hash, `cosnap.run:${id}`)
    await tx.run(db.deleteFrom('cosnap.runs').where('id', '=', id))
    return { status: 204, body: undefined, resource: id }
  },
})
