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
          else if (!isKnownEnd(queries, payload)) refresh(queries)
        },
        () => refresh(queries),
      ),
    [live, queries],
  )
}

const isOpen = (run: Run): boolean => run.state === 'queued' || run.state === 'running'

function paint(queries: QueryClient, event: JobEvent): void {
  const state = event.state === 'running' ? 'running' : 'queued'
  const update = (run: Run): Run =>
    run.jobId === event.jobId && isOpen(run)
      ? { ...run, state, progress: Math.max(run.progress, event.progress), ahead: event.ahead }
      : run
  queries.setQueriesData<RunPage>(
    { queryKey: [...keys.runs, 'of'] },
    (page) => page && { ...page, items: page.items.map(update) },
  )
}

/** The end of this job is on the page already: an event of the last seconds may be told again. */
function isKnownEnd(queries: QueryClient, { jobId }: JobEvent): boolean {
  const cached = queries.getQueriesData<RunPage | { pages: RunPage[] }>({ queryKey: keys.runs })
  const runs = cached
    .flatMap(([, data]) => (!data ? [] : 'pages' in data ? data.pages : [data]))
    .flatMap((page) => page.items)
  return runs.some((run) => run.jobId === jobId && !isOpen(run))
}

function refresh(queries: QueryClient): void {
  void queries.invalidateQueries({ queryKey: keys.runs })
  void queries.invalidateQueries({ queryKey: keys.credits })
}
