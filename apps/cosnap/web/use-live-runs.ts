import { useService } from '@seaworthy/ui'
import { type QueryClient, useQueryClient } from '@tanstack/react-query'
import { useEffect } from 'react'
import { keys, type Run, type RunPage } from './queries.ts'

interface JobEvent {
  readonly jobId: string
  readonly state: 'waiting' | 'running' | 'done' | 'dead' | 'cancelled'
  readonly progress: number
  readonly ahead: number
}

/** Keeps the runs on this page true: progress is painted from events, and an end is read from the service. */
export function useLiveRuns(): void {
  const { live } = useService()
  const queries = useQueryClient()
  useEffect(
    () =>
      live.watch<JobEvent>(
        'platform.jobs',
        ({ payload }) => {
          if (payload.state === 'waiting' || payload.state === 'running') paint(queries, payload)
          else refresh(queries)
        },
        () => refresh(queries),
      ),
    [live, queries],
  )
}

function paint(queries: QueryClient, event: JobEvent): void {
  const state = event.state === 'running' ? 'running' : 'queued'
  const update = (run: Run): Run =>
    run.jobId === event.jobId && run.state !== 'done'
      ? { ...run, state, progress: Math.max(run.progress, event.progress), ahead: event.ahead }
      : run
  queries.setQueriesData<RunPage>(
    { queryKey: [...keys.runs, 'of'] },
    (page) => page && { ...page, items: page.items.map(update) },
  )
}

function refresh(queries: QueryClient): void {
  void queries.invalidateQueries({ queryKey: keys.runs })
  void queries.invalidateQueries({ queryKey: keys.credits })
}
