import { column, table } from '@seaworthy/platform/definition'

export type RunState = 'queued' | 'done' | 'failed' | 'cancelled'

export const runs = table('cosnap.runs', {
  id: column.id(),
  account_id: column.account(),
  photo_id: column.reference(),
  effect: column.text(),
  strength: column.integer(),
  cost: column.integer(),
  state: column.text<RunState>(),
  job_id: column.reference(),
  hold_id: column.reference(),
  engine: column.optionalText(),
  result_hash: column.optionalText(),
  result_width: column.optionalInteger(),
  result_height: column.optionalInteger(),
  error_code: column.optionalText(),
  created_at: column.createdAt(),
  finished_at: column.optionalTime(),
})
