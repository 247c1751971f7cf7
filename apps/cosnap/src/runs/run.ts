import type { Caller } from '@seaworthy/core'
import type { Transaction } from '@seaworthy/platform/definition'
import { viewJobs } from '@seaworthy/platform/jobs'
import type { Media } from '@seaworthy/platform/media'
import type { Kysely, Selectable } from 'kysely'
import { z } from 'zod'
import type { db } from '../database.ts'
import { Picture, toPicture } from '../photos/photo.ts'

type Tables = typeof db extends Kysely<infer D> ? D : never
type RunRow = Selectable<Tables['cosnap.runs']>

export const Run = z.object({
  id: z.string(),
  photoId: z.string(),
  effect: z.string(),
  strength: z.number().int(),
  cost: z.number().int(),
  state: z.enum(['queued', 'running', 'done', 'failed', 'cancelled']),
  jobId: z.string(),
  /** 0 to 1. */
  progress: z.number(),
  /** Effects of everybody that come first. */
  ahead: z.number().int(),
  /** What made the result. */
  engine: z.string().nullable(),
  error: z.string().nullable(),
  createdAt: z.string(),
  finishedAt: z.string().nullable(),
  result: Picture.nullable(),
})

/** Runs with the state of their jobs. */
export async function toRuns(
  tx: Transaction,
  media: Media,
  caller: Caller,
  rows: readonly RunRow[],
): Promise<z.input<typeof Run>[]> {
  const jobs = await viewJobs(
    tx,
    rows.filter((row) => row.state === 'queued').map((row) => row.job_id),
  )
  return rows.map((row) => {
    const job = jobs.get(row.job_id)
    const { result_hash: hash, result_width: width, result_height: height } = row
    return {
      id: row.id,
      photoId: row.photo_id,
      effect: row.effect,
      strength: row.strength,
      cost: row.cost,
      state: row.state === 'queued' && job?.state === 'running' ? 'running' : row.state,
      jobId: row.job_id,
      progress: row.state === 'done' ? 1 : (job?.progress ?? 0),
      ahead: job?.ahead ?? 0,
      engine: row.engine,
      error: row.error_code,
      createdAt: row.created_at.toISOString(),
      finishedAt: row.finished_at?.toISOString() ?? null,
      result: hash && width && height ? toPicture(media, caller, { hash, width, height }) : null,
    }
  })
}

export async function toRun(tx: Transaction, media: Media, caller: Caller, row: RunRow): Promise<z.input<typeof Run>> {
  const [run] = await toRuns(tx, media, caller, [row])
  if (!run) throw new Error('a run was lost on the way')
  return run
}
