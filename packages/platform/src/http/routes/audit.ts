import { type Caller, fault, roleAtLeast } from '@seaworthy/core'
import { z } from 'zod'
import {
  type AuditFilter,
  type AuditFormat,
  type AuditLine,
  auditFormats,
  csvHeader,
  readLines,
  readStatistics,
  recordEvent,
  showLine,
  toCsv,
  toJsonLines,
} from '../../audit/index.ts'
import type { Database } from '../../data/index.ts'
import {
  defineApp,
  type FileAnswer,
  fileReply,
  pageQuery,
  pageReply,
  rate,
  route,
  type Transaction,
  toPage,
} from '../../definition/index.ts'

const MINUTES_15 = 15 * 60_000
const rates = {
  reads: rate('audit.reads', 300, MINUTES_15),
  exports: rate('audit.exports', 10, MINUTES_15),
}

export const filterQuery = {
  kind: z.enum(['change', 'security']).optional(),
  action: z.string().max(100).optional(),
  /** Actions to leave out, with commas between them: what happens by itself, such as `session_refresh`. */
  except: z
    .string()
    .max(500)
    .regex(/^[a-z0-9_]+(,[a-z0-9_]+)*$/, 'must be names of actions with commas between them')
    .optional(),
  outcome: z.enum(['done', 'refused']).optional(),
  user: z.uuid().optional(),
  /** From this moment on. */
  from: z.iso.datetime().optional(),
  /** Before this moment. */
  to: z.iso.datetime().optional(),
}
type FilterQuery = z.output<z.ZodObject<typeof filterQuery>>

export const Line = z.object({
  id: z.string(),
  at: z.string(),
  kind: z.string(),
  action: z.string(),
  outcome: z.string(),
  status: z.number().int(),
  errorCode: z.string().nullable(),
  resource: z.string().nullable(),
  userId: z.string().nullable(),
  accountId: z.string().nullable(),
  method: z.string(),
  route: z.string(),
  path: z.string().nullable(),
  durationMs: z.number().int(),
  network: z.string(),
  userAgent: z.string().nullable(),
  requestId: z.string(),
  details: z.unknown(),
})

/** Who did what in one's own account. */
export const auditApp = (database: Database) =>
  defineApp({ name: 'audit', title: 'Audit', peopleOnly: true, routes: [list, statistics, exportLines(database)] })

export function toFilter({ user, from, to, except, ...filter }: FilterQuery): AuditFilter {
  return {
    ...filter,
    except: except?.split(','),
    userId: user,
    from: from ? new Date(from) : undefined,
    to: to ? new Date(to) : undefined,
  }
}

/** Admins see the whole account, everybody else what they did themselves. */
function visibleTo({ accountId, role, userId }: Caller, filter: AuditFilter): AuditFilter {
  // Named though the policies say so too: they alone do not lead to an index.
  const own = { ...filter, accountId }
  if (roleAtLeast(role, 'admin')) return own
  if (own.userId !== undefined && own.userId !== userId)
    throw fault('forbidden', { detail: "Other people's lines are for admins and owners of the account." })
  return { ...own, userId: userId }
}

const list = route({
  name: 'audit.list',
  method: 'GET',
  path: '',
  summary: 'Who did what in this account, newest first; without the role admin: what you did yourself',
  auth: 'viewer',
  limit: rates.reads,
  query: pageQuery.extend(filterQuery),
  reply: { 200: pageReply(Line) },
  errors: ['forbidden'],
  handle: async ({ caller, query: { limit, cursor, ...query }, tx, cursors }) => {
    const rows = await readLines(tx, visibleTo(caller, toFilter(query)), limit + 1, cursors.read(cursor))
    return { status: 200, body: toPage(rows, limit, cursors, showLine) }
  },
})

const statistics = route({
  name: 'audit.statistics',
  method: 'GET',
  path: '/statistics',
  summary: 'How often each action was done and refused in seven days',
  auth: 'viewer',
  limit: rates.reads,
  reply: {
    200: z.object({
      actions: z.array(
        z.object({
          action: z.string(),
          done: z.number().int(),
          refused: z.number().int(),
          medianMs: z.number(),
          slowestMs: z.number().int(),
          lastAt: z.string(),
        }),
      ),
    }),
  },
  handle: async ({ caller, tx }) => {
    const actions = await readStatistics(tx, visibleTo(caller, {}))
    return { status: 200, body: { actions: actions.map((row) => ({ ...row, lastAt: row.lastAt.toISOString() })) } }
  },
})

const exportLines = (database: Database) =>
  route({
    name: 'audit.export',
    method: 'GET',
    path: '/export',
    summary:
      'The lines of this account as CSV or as one JSON object a line, newest first; the export itself is audited',
    auth: 'admin',
    limit: rates.exports,
    transaction: 'none',
    query: z.strictObject({ ...filterQuery, format: z.enum(auditFormats).default('csv') }),
    reply: { 200: fileReply('text/csv', 'application/jsonl') },
    handle: async ({ caller, query: { format, ...query }, read, origin }) => {
      const { accountId, userId } = caller
      const filter = { ...toFilter(query), accountId }
      const details = { what: 'audit', format, ...query }
      await database.withCaller(caller, (tx) =>
        recordEvent(tx, { action: 'audit_export', outcome: 'done', accountId, userId, details, origin }),
      )
      return { status: 200, body: toFile(format, (before) => read((tx) => page(tx, filter, before))) }
    },
  })

const PAGE = 1_000
const LINES_MAX = 1_000_000
const page = (tx: Transaction, filter: AuditFilter, before: string | undefined): Promise<AuditLine[]> =>
  readLines(tx, filter, PAGE, before)

type NextPage = (before: string | undefined) => Promise<AuditLine[]>

function toFile(format: AuditFormat, next: NextPage): FileAnswer {
  return format === 'csv'
    ? { type: 'text/csv; charset=utf-8', name: 'audit.csv', chunks: toText(next, toCsv, csvHeader) }
    : { type: 'application/jsonl; charset=utf-8', name: 'audit.jsonl', chunks: toText(next, toJsonLines, '') }
}

async function* toText(next: NextPage, render: (lines: readonly AuditLine[]) => string, head: string) {
  yield head
  let before: string | undefined
  for (let count = 0, size = PAGE; count < LINES_MAX && size === PAGE; count += PAGE) {
    const rows = await next(before)
    yield render(rows)
    before = rows.at(-1)?.id
    size = rows.length
  }
}
