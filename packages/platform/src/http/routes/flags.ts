import { z } from 'zod'
import { rate, route } from '../../definition/index.ts'
import type { OpenFlags } from '../../flags/index.ts'

const general = rate('operations.flags', 100, 15 * 60_000)
const value = z.union([z.boolean(), z.string().max(80)])

const FlagShown = z.object({
  name: z.string(),
  text: z.string(),
  value,
  values: z.array(value),
  default: value,
  changedAt: z.string().nullable(),
})

/** What operators turn while the service runs. */
export const flagRoutes = (flags: OpenFlags) => [list(flags), turn(flags)] as const

const list = (flags: OpenFlags) =>
  route({
    name: 'operations.flags.list',
    method: 'GET',
    path: '/flags',
    summary: 'What can be turned while the service runs',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    reply: { 200: z.object({ items: z.array(FlagShown) }) },
    handle: async () => {
      const items = flags.list().map(({ flag, value: now, changedAt }) => ({
        name: flag.name,
        text: flag.text,
        value: now,
        values: [...flag.values],
        default: flag.default,
        changedAt: changedAt?.toISOString() ?? null,
      }))
      return { status: 200, body: { items } }
    },
  })

const turn = (flags: OpenFlags) =>
  route({
    name: 'operations.flags.turn',
    method: 'PUT',
    path: '/flags',
    summary: 'Turn a flag; every process knows within a second',
    auth: 'operator',
    limit: general,
    transaction: 'none',
    body: z.strictObject({ name: z.string().max(80), value }),
    reply: { 204: z.undefined() },
    errors: ['not_found'],
    audit: 'flag_turn',
    security: true,
    handle: async ({ caller, body, audit }) => {
      await flags.turn({ ...body, by: caller.userId }, (tx) => audit(tx, caller, 204, body.name))
      return { status: 204, body: undefined, resource: body.name }
    },
  })
