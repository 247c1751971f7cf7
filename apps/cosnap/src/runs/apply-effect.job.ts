import { credits, newId } from '@seaworthy/core'
import { job } from '@seaworthy/platform/definition'
import { captureHold, holdCredits, releaseHold } from '@seaworthy/platform/payments'
import { z } from 'zod'
import { db } from '../database.ts'
import type { EffectId } from '../effects/catalogue.ts'
import { applyEffect, decode, encodeJpeg } from '../effects/studio.ts'

const SECONDS_60 = 60_000

/**
 * Makes the effect at full resolution. The result is stored first and belongs to nobody; one transaction then keeps it,
 * spends the held credits and ends the job. Killed anywhere before, the job runs again; killed after, it is done.
 */
export const applyEffectJob = job({
  name: 'cosnap.apply-effect',
  input: z.strictObject({ runId: z.uuid() }),
  attempts: 3,
  timeoutMs: SECONDS_60,
  run: async ({ input, caller, media, progress, read, finish, signal }) => {
    const run = await read((tx) =>
      tx.one(
        db
          .selectFrom('cosnap.runs')
          .innerJoin('cosnap.photos', 'cosnap.photos.id', 'cosnap.runs.photo_id')
          .select([
            'cosnap.runs.id',
            'cosnap.runs.effect',
            'cosnap.runs.strength',
            'cosnap.runs.hold_id',
            'cosnap.photos.hash',
          ])
          .where('cosnap.runs.id', '=', input.runId),
      ),
    )
    progress(0.1)
    const photo = await decode(await media.readBytes(caller, run.hash))
    signal.throwIfAborted()
    progress(0.35)
    const made = await applyEffect(run.effect as EffectId, photo, run.strength)
    signal.throwIfAborted()
    progress(0.8)
    const blob = await media.storeBytes(caller, await encodeJpeg(made), 'image/jpeg')
    await finish(async (tx) => {
      await media.keep(tx, blob.hash, `cosnap.run:${run.id}`)
      await captureHold(tx, run.hold_id)
      await tx.run(
        db
          .updateTable('cosnap.runs')
          .set({
            state: 'done',
            engine: 'local',
            result_hash: blob.hash,
            result_width: made.width,
            result_height: made.height,
            finished_at: new Date(),
          })
          .where('id', '=', run.id),
      )
    })
  },
  onReplay: async ({ input, tx }) => {
    const run = await tx.one(
      db
        .selectFrom('cosnap.runs')
        .select(['id', 'cost'])
        .where('id', '=', input.runId)
        .where('state', '=', 'failed')
        .forUpdate(),
    )
    const hold = await holdCredits(tx, credits(run.cost), `cosnap.run:${run.id}:${newId()}`)
    await tx.run(
      db
        .updateTable('cosnap.runs')
        .set({ state: 'queued', hold_id: hold, error_code: null, finished_at: null })
        .where('id', '=', run.id),
    )
  },
  onDead: async ({ input, tx, errorCode }) => {
    const run = await tx.maybe(
      db
        .selectFrom('cosnap.runs')
        .select(['id', 'hold_id'])
        .where('id', '=', input.runId)
        .where('state', '=', 'queued')
        .forUpdate(),
    )
    if (!run) return
    await releaseHold(tx, run.hold_id)
    await tx.run(
      db
        .updateTable('cosnap.runs')
        .set({ state: 'failed', error_code: errorCode, finished_at: new Date() })
        .where('id', '=', run.id),
    )
  },
})
