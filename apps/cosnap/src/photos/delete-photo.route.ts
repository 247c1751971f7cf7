import { noBody, route } from '@seaworthy/platform/definition'
import { z } from 'zod'
import { db } from '../database.ts'
import { faults } from '../faults.ts'
import { rates } from '../rates.ts'

export const deletePhoto = route({
  name: 'cosnap.photos.delete',
  method: 'DELETE',
  path: '/photos/{id}',
  summary: 'Delete a photo and everything made from it',
  auth: 'member',
  limit: rates.general,
  params: z.strictObject({ id: z.uuid() }),
  body: noBody,
  reply: { 204: z.undefined() },
  errors: ['conflict'],
  audit: 'photo_delete',
  handle: async ({ params, tx, media }) => {
    const photo = await tx.one(
      db.selectFrom('cosnap.photos').select(['id', 'hash']).where('id', '=', params.id).forUpdate(),
    )
    const made = await tx.many(
      db.selectFrom('cosnap.runs').select(['id', 'state', 'result_hash']).where('photo_id', '=', photo.id).forUpdate(),
    )
    if (made.some((run) => run.state === 'queued'))
      throw faults('still_running', { detail: 'Cancel it or wait until it is done.' })
    for (const run of made) if (run.result_hash) await media.discard(tx, run.result_hash, `cosnap.run:${run.id}`)
    await media.discard(tx, photo.hash, `cosnap.photo:${photo.id}`)
    await tx.run(db.deleteFrom('cosnap.photos').where('id', '=', photo.id))
    return { status: 204, body: undefined, resource: photo.id }
  },
})
