import { createHash, randomBytes } from 'node:crypto'
import { type Clock, DAY, fault, type UserId } from '@seaworthy/core'
import { type Database, sql, type Transaction } from '../data/index.ts'

const LINK_MS = 7 * DAY
const hashLink = (token: string): Buffer => createHash('sha256').update(token).digest()

/** A one-time link for the first operator. Undefined when there is an operator already. */
export async function makeFirstOperatorLink(database: Database, clock: Clock): Promise<string | undefined> {
  return database.withDuty('identity', async (tx) => {
    const found = await tx.many(sql`select 1 from seaworthy.users where operator limit 1`)
    if (found.length) return undefined
    const token = randomBytes(24).toString('base64url')
    await tx.run(
      sql`insert into seaworthy.operator_links (token_hash, expires_at) values (${hashLink(token)}, ${new Date(clock.now() + LINK_MS)})`,
    )
    return token
  })
}

export async function useOperatorLink(tx: Transaction, token: string, userId: UserId, clock: Clock): Promise<void> {
  const used = await tx.run(sql`
    update seaworthy.operator_links set used_at = now(), used_by = ${userId}
    where token_hash = ${hashLink(token)} and used_at is null and expires_at > ${new Date(clock.now())}
      and not exists (select 1 from seaworthy.users where operator and id <> ${userId})`)
  if (used === 0)
    throw fault('link_expired', { detail: 'Start the server again to get a new link, if there is no operator yet.' })
}
