import { type AccountId, newId } from '@seaworthy/core'
import { sql, type Transaction } from '../data/index.ts'

export interface EnqueueOptions {
  readonly attemptsMax: number
  readonly trace?: string
  readonly delayMs?: number
}

/** Puts a job into the queue in the caller's transaction: no commit, no job. Returns its id. */
export async function enqueue(
  tx: Transaction,
  accountId: AccountId,
  task: string,
  input: unknown,
  options: EnqueueOptions,
): Promise<string> {
  const id = newId()
  await tx.run(
    sql`select seaworthy_queue.enqueue(${id}, ${accountId}, ${task}, ${JSON.stringify(input)}, ${options.attemptsMax}, ${options.trace ?? null}, ${options.delayMs ?? 0})`,
  )
  return id
}

/** True when the job had not started and now never will. */
export async function cancelJob(tx: Transaction, id: string): Promise<boolean> {
  const row = await tx.one<{ cancelled: boolean }>(sql`select seaworthy.cancel_job(${id}) as cancelled`)
  return row.cancelled
}

export interface JobView {
  readonly id: string
  readonly state: 'waiting' | 'running' | 'done' | 'dead' | 'cancelled'
  readonly progress: number
  /** Jobs of everybody that run before this one; 0 unless it waits. */
  readonly ahead: number
}

/** The jobs of the caller's account among these ids. */
export async function viewJobs(tx: Transaction, ids: readonly string[]): Promise<Map<string, JobView>> {
  if (ids.length === 0) return new Map()
  const rows = await tx.many<JobView>(sql`
    select id, state, progress, case when state = 'waiting' then seaworthy.jobs_ahead(id) else 0 end as ahead
    from seaworthy.jobs where id = any(${ids}::uuid[])`)
  return new Map(rows.map((row) => [row.id, row]))
}
