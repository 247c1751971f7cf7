import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { fileURLToPath } from 'node:url'
import { type OwnerSession, sql } from '../data/index.ts'

/** Our way into the queue: functions that its schema has, for the app's role. */
export const enqueueSql = (): string =>
  readFileSync(fileURLToPath(new URL('../../queue/enqueue.sql', import.meta.url)), 'utf8')

/**
 * Stands for the queue as this release installs it: its library and our functions. Every release that was ever installed
 * stays in the comment of the schema, so that an older one finds itself there after a newer one came.
 */
export function queueMark(): string {
  const { version } = createRequire(import.meta.url)('graphile-worker/package.json') as { version: string }
  return createHash('sha256').update(`${version}\n${enqueueSql()}`).digest('hex').slice(0, 12)
}

/** Whether the queue of this release, or of one that came after it, is installed. Anybody may ask. */
export async function hasQueue(session: Pick<OwnerSession, 'many'>): Promise<boolean> {
  const [schema] = await session.many(markQuery())
  return schema?.marks?.split(' ').includes(queueMark()) ?? false
}

export const markQuery = () =>
  sql<{ marks: string | null }>`
    select obj_description(oid, 'pg_namespace') as marks from pg_namespace where nspname = 'seaworthy_queue'`
