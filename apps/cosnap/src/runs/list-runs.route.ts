import { pageQuery, pageReply, route, toPage } from '@seaworthy/platform/definition'
import { z } from 'zod'
import { db } from '../database.ts'
import { rates } from '../rates.ts'
import { Run, toRun, toRuns } from './run.ts'

/** The gallery (`state=done`), what is under way, or what was made of one photo. */
export const listRuns = route({
  name: 'cosnap.runs.list',
  method: 'GET',
  path: '/runs',
  summary: 'Your effects, newest first',
  auth: 'viewer',
  limit: rates.reads,
  query: pageQuery.extend({
    photoId: z.uuid().optional(),
    state: z.enum(['queued', 'done', 'failed', 'cancelled']).optional(),
  }),
  reply: { 200: pageReply(Run) },
  handle: async ({ caller, query, tx, media, cursors }) => {
    const after = cursors.read(query.cursor)
    const rows = await tx.many(
      db
        .selectFrom('cosnap.runs')
        .selectAll()
        .where('account_id', '=', caller.accountId)
        .$if(query.photoId !== undefined, (found) => found.where('photo_id', '=', query.photoId ?? ''))
        .$if(query.state !== undefined, (found) => found.where('state', '=', query.state ?? 'done'))
        .$if(after !== undefined, (found) => found.where('id', '<', after ?? ''))
        .orderBy('id', 'desc')
        .limit(query.limit + 1),
    )
    const shown = new Map((await toRuns(tx, media, caller, rows)).map((run) => [run.id, run]))
    const page = toPage(rows, query.limit, cursors, (row) => shown.get(row.id))
    return { status: 200, body: { next: page.next, items: page.items.filter((run) => run !== undefined) } }
  },
})

export const getRun = route({
  name: 'cosnap.runs.get',
  method: 'GET',
  path: '/runs/{id}',
  summary: 'One effect and how far it is',
  auth: 'viewer',
  limit: rates.reads,
  params: z.strictObject({ id: z.uuid() }),
  reply: { 200: Run },
  handle: async ({ caller, params, tx, media }) => {
    const row = await tx.one(db.selectFrom('cosnap.runs').selectAll().where('id', '=', params.id))
    return { status: 200, body: await toRun(tx, media, caller, row) }
  },
})
