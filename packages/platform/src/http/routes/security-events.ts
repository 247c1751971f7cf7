import { z } from 'zod'
import { readLines, showLine } from '../../audit/index.ts'
import type { Database } from '../../data/index.ts'
import { pageQuery, pageReply, type RateClass, route, toPage } from '../../definition/index.ts'
import { filterQuery, Line, toFilter } from './audit.ts'

/** Sign-ins, keys, roles and the like of all accounts, with the internal words of errors. */
export const securityEvents = (database: Database, limit: RateClass) =>
  route({
    name: 'operations.security-events',
    method: 'GET',
    path: '/security-events',
    summary: 'Security events of all accounts, newest first',
    auth: 'operator',
    limit,
    transaction: 'none',
    query: pageQuery.extend(filterQuery),
    reply: { 200: pageReply(Line.extend({ errorText: z.string().nullable() })) },
    handle: async ({ query: { limit: most, cursor, ...query }, cursors }) => {
      const after = cursors.read(cursor)
      const rows = await database.withDuty(
        'operations',
        (tx) => readLines(tx, { ...toFilter(query), kind: 'security' }, most + 1, after),
        { readOnly: true },
      )
      const show = (row: (typeof rows)[number]) => ({ ...showLine(row), errorText: row.errorText })
      return { status: 200, body: toPage(rows, most, cursors, show) }
    },
  })
