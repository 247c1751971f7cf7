import { fault } from '@seaworthy/core'
import { z } from 'zod'
import type { Database } from '../../data/index.ts'
import { pageQuery, pageReply, route, toPage } from '../../definition/index.ts'
import { type ListedMail, listMail, readMail } from '../../mail/index.ts'
import { general } from './operations-rates.ts'

const Listed = z.object({
  id: z.string(),
  to: z.string(),
  subject: z.string(),
  state: z.string(),
  tries: z.number().int(),
  problem: z.string().nullable(),
  createdAt: z.string(),
  endedAt: z.string().nullable(),
})
const Read = Listed.extend({
  paragraphs: z.array(z.string()),
  action: z.object({ label: z.string(), url: z.string() }).nullable(),
})

const show = ({ id, to, subject, state, tries, problem, createdAt, endedAt }: ListedMail) => ({
  id,
  to,
  subject,
  state,
  tries,
  problem,
  createdAt: createdAt.toISOString(),
  endedAt: endedAt?.toISOString() ?? null,
})

/** Mail that was sent or waits; what it says only where there is no server that takes it to people. */
export const mailRoutes = (database: Database, delivers: boolean) =>
  [listRoute(database, delivers), readRoute(database, delivers)] as const

const listRoute = (database: Database, delivers: boolean) =>
  route({
    name: 'operations.mail.list',
    method: 'GET',
    path: '/mail',
    summary: 'Mail to people, the newest first, and whether a server delivers it',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    query: pageQuery,
    reply: { 200: pageReply(Listed).extend({ delivers: z.boolean() }) },
    handle: async ({ query, cursors }) => {
      const after = cursors.read(query.cursor)
      const rows = await database.withDuty('operations', (tx) => listMail(tx, query.limit + 1, after), {
        readOnly: true,
      })
      return { status: 200, body: { ...toPage(rows, query.limit, cursors, show), delivers } }
    },
  })

/** A link in a mail opens somebody's account, so only an operator who has just shown who they are reads one. */
const readRoute = (database: Database, delivers: boolean) =>
  route({
    name: 'operations.mail.read',
    method: 'GET',
    path: '/mail/{id}',
    summary: 'What a mail says that no server delivers',
    auth: 'operator',
    fresh: true,
    limit: general,
    transaction: 'none',
    params: z.strictObject({ id: z.uuid() }),
    reply: { 200: Read },
    errors: ['not_found', 'forbidden'],
    handle: async ({ params }) => {
      if (delivers)
        throw fault('forbidden', { detail: 'A mail server is set, so only the recipient reads what a mail says.' })
      const mail = await database.withDuty('operations', (tx) => readMail(tx, params.id), { readOnly: true })
      const { paragraphs = [], action = null } = mail.body ?? {}
      return { status: 200, body: { ...show(mail), paragraphs: [...paragraphs], action } }
    },
  })
