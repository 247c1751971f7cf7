import { present } from '@seaworthy/core'
import { pageQuery, pageReply, route, toPage } from '@seaworthy/platform/definition'
import { z } from 'zod'
import { db } from '../database.ts'
import { rates } from '../rates.ts'
import { openNames, Photo, toPhoto } from './photo.ts'

export const listPhotos = route({
  name: 'cosnap.photos.list',
  method: 'GET',
  path: '/photos',
  summary: 'Your photos, newest first',
  auth: 'viewer',
  limit: rates.reads,
  query: pageQuery,
  reply: { 200: pageReply(Photo) },
  handle: async ({ caller, query, tx, media, vault, cursors }) => {
    const after = cursors.read(query.cursor)
    const rows = await tx.many(
      db
        .selectFrom('cosnap.photos')
        .selectAll()
        .where('account_id', '=', caller.accountId)
        .$if(after !== undefined, (found) => found.where('id', '<', after ?? ''))
        .orderBy('id', 'desc')
        .limit(query.limit + 1),
    )
    const photos = await openNames(vault, tx, caller, rows)
    return { status: 200, body: toPage(photos, query.limit, cursors, (row) => toPhoto(media, caller, row)) }
  },
})

export const getPhoto = route({
  name: 'cosnap.photos.get',
  method: 'GET',
  path: '/photos/{id}',
  summary: 'One photo',
  auth: 'viewer',
  limit: rates.reads,
  params: z.strictObject({ id: z.uuid() }),
  reply: { 200: Photo },
  handle: async ({ caller, params, tx, media, vault }) => {
    const row = await tx.one(db.selectFrom('cosnap.photos').selectAll().where('id', '=', params.id))
    const [photo] = await openNames(vault, tx, caller, [row])
    return { status: 200, body: toPhoto(media, caller, present(photo, 'the photo')) }
  },
})
