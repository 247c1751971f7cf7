import { fault } from '@seaworthy/core'
import { z } from 'zod'
import { defineApp, rate, route } from '../../definition/index.ts'

const ITEMS_MAX = 20
const PATH_MAX = 2_000
const limit = rate('batch.run', 100, 15 * 60_000, { setting: 'rateMax' })

const Item = z.strictObject({
  method: z.enum(['GET', 'POST', 'PUT', 'PATCH', 'DELETE']),
  path: z
    .string()
    .max(PATH_MAX)
    .regex(/^\/api\/[\w~!$&'()*+,;=:@%./?-]+$/, 'must be the address of a route, such as /api/identity/me'),
  /** JSON, for routes that take some. */
  body: z.unknown().optional(),
  idempotencyKey: z.string().min(1).max(255).optional(),
})

const Result = z.object({
  status: z.number().int(),
  /** The answer or the problem; null where there is none. */
  body: z.unknown(),
})

/**
 * Several requests in one. Each goes the whole way on its own: its limits, its authorisation, its transaction, its audit
 * line. There is no option for all or nothing: routes commit for themselves, and effects after a commit cannot be undone.
 */
export const batchApp = () =>
  defineApp({ name: 'batch', title: 'Several requests in one', peopleOnly: true, routes: [run] })

const run = route({
  name: 'batch.run',
  method: 'POST',
  path: '',
  summary: 'Up to twenty requests, one after the other, each with an answer of its own',
  auth: 'viewer',
  limit,
  transaction: 'none',
  body: z.strictObject({ items: z.array(Item).min(1).max(ITEMS_MAX) }),
  reply: { 200: z.object({ items: z.array(Result) }) },
  audit: 'batch',
  handle: async ({ body, call, signal }) => {
    const items = []
    for (const item of body.items) {
      if (signal.aborted) throw fault('request_timeout', { detail: `${items.length} of the requests were made.` })
      items.push(await call(item))
    }
    return { status: 200, body: { items } }
  },
})
