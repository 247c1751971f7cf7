import { dataOf } from '@seaworthy/client'
import { Button, Failure, Progress, toast, useService } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { X } from 'lucide-react'
import { keys, type Run } from './queries.ts'

interface RunCardProps {
  readonly run: Run
  readonly name: string
  /** The card goes, and the focus that was in it needs a place. */
  readonly onCancelled: () => void
}

/** One effect on its way: its place in the queue, how far it is, or why it failed. */
export function RunCard({ run, name, onCancelled }: RunCardProps) {
  const { http } = useService()
  const queries = useQueryClient()
  const cancel = useMutation({
    mutationFn: () => dataOf(http.POST('/api/cosnap/runs/{id}/cancel', { params: { path: { id: run.id } } })),
    onSuccess: () => {
      toast(`${name} is cancelled. Your credits are back.`)
      onCancelled()
    },
    onSettled: () => {
      void queries.invalidateQueries({ queryKey: keys.runs })
      void queries.invalidateQueries({ queryKey: keys.credits })
    },
  })
  return (
    <div className="run-card" aria-live="polite">
      <div className="run-head">
        <strong>{name}</strong>
        <span className="soft small number">{describe(run)}</span>
        {(run.state === 'queued' || run.state === 'running') && (
          <Button
            kind="quiet"
            aria-label={`Cancel ${name}`}
            icon={<X size={16} />}
            onClick={() => cancel.mutate()}
            reason={whyNot(run, cancel.isPending)}
          >
            Cancel
          </Button>
        )}
      </div>
      {(run.state === 'queued' || run.state === 'running') && (
        <Progress value={run.progress} label={`${name} is being made`} />
      )}
      {cancel.isError && <Failure error={cancel.error} />}
    </div>
  )
}

/** Not `disabled`, which would take the focus away from it. */
function whyNot(run: Run, isPending: boolean): string | undefined {
  if (run.state === 'running') return 'It is being made already'
  return isPending ? 'Being cancelled' : undefined
}

function describe(run: Run): string {
  switch (run.state) {
    case 'queued':
      return run.ahead === 0 ? 'Next in the queue' : run.ahead === 1 ? 'One before yours' : `${run.ahead} before yours`
    case 'running':
      return run.progress < 0.3 ? 'Loading the photo' : run.progress < 0.75 ? 'Working on the pixels' : 'Saving'
    case 'done':
      return 'Done'
    case 'cancelled':
      return 'Cancelled. Your credits are back.'
    case 'failed':
      return 'Failed. Your credits are back.'
  }
}
