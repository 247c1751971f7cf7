import type { AccountCaller, Role } from '@seaworthy/core'
import type { z } from 'zod'
import { sql, type Transaction } from '../data/index.ts'

/** Events of one kind that an account's members may watch: a channel is always one account's. */
export interface Channel<Event extends z.ZodType = z.ZodType> {
  readonly kind: 'channel'
  /** With the app's name in front: `cosnap.runs`. */
  readonly name: string
  readonly auth: Role
  readonly event: Event
}

export function channel<Event extends z.ZodType>(definition: Omit<Channel<Event>, 'kind'>): Channel<Event> {
  return { kind: 'channel', ...definition }
}

/** Tells whoever watches, after the commit and only then. Payloads are small: an id and what changed. */
export async function publish<Event extends z.ZodType>(
  tx: Transaction,
  to: AccountCaller,
  target: Channel<Event>,
  event: z.input<Event>,
): Promise<void> {
  const payload = JSON.stringify(target.event.parse(event))
  await tx.run(
    sql`insert into seaworthy.events (account_id, channel, payload) values (${to.accountId}, ${target.name}, ${payload})`,
  )
  await tx.run(sql`select pg_notify('seaworthy_events', '')`)
}
