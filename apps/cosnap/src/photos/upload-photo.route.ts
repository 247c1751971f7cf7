import { MiB, newId } from '@seaworthy/core'
import { photoUpload, route } from '@seaworthy/platform/definition'
import { z } from 'zod'
import { db } from '../database.ts'
import { rates } from '../rates.ts'
import { cleanName, nameOf, Photo, toPhoto } from './photo.ts'

export const uploadPhoto = route({
  name: 'cosnap.photos.upload',
  method: 'POST',
  path: '/photos',
  summary: 'Upload a photo',
  auth: 'member',
  limit: rates.upload,
  query: z.strictObject({ name: z.string().max(300).optional() }),
  body: photoUpload({ maxBytes: 30 * MiB }),
  reply: { 201: Photo },
  errors: ['unusable_image', 'quota_exceeded', 'storage_full'],
  audit: 'photo_upload',
  handle: async ({ caller, query, body, tx, media, vault }) => {
    const id = newId()
    const name = cleanName(query.name)
    const row = await tx.one(
      db
        .insertInto('cosnap.photos')
        .values({
          id,
          account_id: caller.accountId,
          name: await vault.seal(tx, nameOf(caller, id), name),
          hash: body.hash,
          type: body.type,
          bytes: body.bytes,
          width: body.width,
          height: body.height,
        })
        .returningAll(),
    )
    await media.keep(tx, body.hash, `cosnap.photo:${id}`)
    return { status: 201, body: toPhoto(media, caller, { ...row, name }), resource: id }
  },
})
