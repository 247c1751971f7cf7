import { newId } from '@seaworthy/core'
import { enqueueJob, route } from '@seaworthy/platform/definition'
import { holdCredits } from '@seaworthy/platform/payments'
import { z } from 'zod'
import { db } from '../database.ts'
import { effectIds, effects } from '../effects/catalogue.ts'
import { rates } from '../rates.ts'
import { applyEffectJob } from './apply-effect.job.ts'
import { Run, toRun } from './run.ts'

/** Sets the credits aside, then queues the work: both or neither. */
export const startRun = route({
  name: 'cosnap.runs.start',
  method: 'POST',
  path: '/runs',
  summary: 'Make an effect on a photo',
  auth: 'member',
  limit: rates.effects,
  body: z.strictObject({ photoId: z.uuid(), effect: z.enum(effectIds), strength: z.number().int().min(0).max(100) }),
  reply: { 202: Run },
  errors: ['insufficient_credits', 'not_found'],
  audit: 'effect_start',
  idempotency: 'required',
  handle: async ({ caller, body, tx, media, trace }) => {
    const photo = await tx.one(db.selectFrom('cosnap.photos').select('id').where('id', '=', body.photoId).forShare())
    const id = newId()
    const { cost } = effects[body.effect]
    const hold = await holdCredits(tx, cost, `cosnap.run:${id}`)
    const jobId = await enqueueJob(tx, caller, applyEffectJob, { runId: id }, { trace: trace.header })
    const row = await tx.one(
      db
        .insertInto('cosnap.runs')
        .values({
          id,
          account_id: caller.accountId,
          photo_id: photo.id,
          effect: body.effect,
          strength: body.strength,
          cost,
          state: 'queued',
          job_id: jobId,
          hold_id: hold,
        })
        .returningAll(),
    )
    return { status: 202, body: await toRun(tx, media, caller, row), resource: id }
  },
})
