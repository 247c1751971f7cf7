import { pageQuery, route, toPage } from '@seaworthy/platform/definition'
import { readBalance, readEntries } from '@seaworthy/platform/payments'
import { z } from 'zod'
import { db } from '../database.ts'
import { effects } from '../effects/catalogue.ts'
import { rates } from '../rates.ts'

const Entry = z.object({
  id: z.string(),
  /** Received, set aside, spent or given back. */
  kind: z.enum(['grant', 'hold', 'capture', 'release']),
  amount: z.number().int(),
  /** What it was for, in words. */
  what: z.string(),
  createdAt: z.string(),
})

export const getCredits = route({
  name: 'cosnap.credits.get',
  method: 'GET',
  path: '/credits',
  summary: 'Your credits, and every gift and effect that changed them, newest first',
  auth: 'viewer',
  limit: rates.reads,
  query: pageQuery,
  reply: {
    200: z.object({
      available: z.number().int(),
      held: z.number().int(),
      spent: z.number().int(),
      items: z.array(Entry),
      next: z.string().nullable(),
    }),
  },
  handle: async ({ query, tx, cursors }) => {
    const balance = await readBalance(tx)
    const entries = await readEntries(tx, query.limit + 1, cursors.read(query.cursor))
    const runIds = entries.map((entry) => runIdOf(entry.reference)).filter((id) => id !== undefined)
    const made = runIds.length
      ? await tx.many(db.selectFrom('cosnap.runs').select(['id', 'effect']).where('id', 'in', runIds))
      : []
    const names = new Map(made.map((run) => [run.id, nameOf(run.effect)]))
    const page = toPage(entries, query.limit, cursors, (entry) => ({
      id: entry.id,
      kind: entry.kind,
      amount: entry.amount,
      createdAt: entry.createdAt.toISOString(),
      what:
        entry.kind === 'grant'
          ? 'Welcome gift'
          : (names.get(runIdOf(entry.reference) ?? '') ?? 'An effect that was deleted'),
    }))
    return { status: 200, body: { ...balance, ...page } }
  },
})

/** `cosnap.run:<id>`, and more behind it when an operator let it run again. */
const runIdOf = (reference: string): string | undefined => /^cosnap\.run:([0-9a-f-]{36})/.exec(reference)?.[1]

const nameOf = (effect: string): string => (effect in effects ? effects[effect as keyof typeof effects].name : effect)
