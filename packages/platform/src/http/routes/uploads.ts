import { MiB } from '@seaworthy/core'
import { z } from 'zod'
import { defineApp, rate, route, streamBody } from '../../definition/index.ts'

const MINUTES_15 = 15 * 60_000
/** As large as the largest file that a route of an app takes. */
const UPLOAD_MAX = 30 * MiB
const rates = {
  begin: rate('uploads.begin', 100, MINUTES_15, { setting: 'rateUploadMax' }),
  parts: rate('uploads.parts', 1_000, MINUTES_15),
}

const Upload = z.object({
  id: z.string(),
  /** Bytes that are here: go on from this one. */
  offset: z.number().int(),
  bytes: z.number().int(),
})

/**
 * Files in parts, for connections that break: announce the length, send the bytes from where they end, and name the
 * upload in the `Upload-Id` header of the route that takes a file. What is not finished is removed after a day.
 */
export const uploadsApp = () => defineApp({ name: 'uploads', title: 'Uploads in parts', routes: [begin, view, append] })

const begin = route({
  name: 'uploads.begin',
  method: 'POST',
  path: '',
  summary: 'Announce a file that is sent in parts',
  auth: 'member',
  limit: rates.begin,
  transaction: 'none',
  body: z.strictObject({ bytes: z.number().int().min(1).max(UPLOAD_MAX) }),
  reply: { 201: Upload },
  errors: ['conflict'],
  audit: 'upload_begin',
  handle: async ({ caller, body, media }) => {
    const upload = await media.uploads.begin(caller, body.bytes)
    return { status: 201, body: upload, resource: upload.id }
  },
})

const view = route({
  name: 'uploads.get',
  method: 'GET',
  path: '/{id}',
  summary: 'How much of a file is here',
  auth: 'member',
  limit: rates.parts,
  transaction: 'none',
  params: z.strictObject({ id: z.uuid() }),
  reply: { 200: Upload },
  handle: async ({ caller, params, media }) => ({ status: 200, body: await media.uploads.view(caller, params.id) }),
})

const append = route({
  name: 'uploads.append',
  method: 'PATCH',
  path: '/{id}',
  summary: 'Send a file from this byte on; what arrives is kept, also when the connection breaks',
  auth: 'member',
  limit: rates.parts,
  transaction: 'none',
  params: z.strictObject({ id: z.uuid() }),
  query: z.strictObject({ offset: z.coerce.number().int().min(0) }),
  body: streamBody({ maxBytes: UPLOAD_MAX }),
  reply: { 200: Upload },
  errors: ['conflict', 'payload_too_large', 'storage_full'],
  audit: 'upload_part',
  handle: async ({ caller, params, query, body, media }) => ({
    status: 200,
    body: await media.uploads.append(caller, params.id, query.offset, body),
    resource: params.id,
  }),
})
