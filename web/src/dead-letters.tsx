import { dataOf } from '@seaworthy/client'
import { Button, Failure, toast, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'

const queryKey = ['operations', 'dead-letters']

/** Jobs that failed for good, with the reason, and a button that gives one another life. */
export function DeadLetters() {
  const { http } = useService()
  const letters = useQuery({ queryKey, queryFn: () => dataOf(http.GET('/api/operations/jobs/dead')) })
  if (letters.isError) return <Failure error={letters.error} onRetry={() => void letters.refetch()} />
  if (!letters.data) return null
  return (
    <section aria-labelledby="dead-letters">
      <h2 id="dead-letters">Jobs that failed for good</h2>
      {letters.data.items.length === 0 ? (
        <p className="soft">None. What a failed job had set aside was given back when it failed.</p>
      ) : (
        <ul className="card letters">
          {letters.data.items.map((letter) => (
            <li key={letter.id}>
              <div>
                <strong>{letter.task}</strong>
                <p className="soft small number">
                  {letter.error ?? 'unknown'} after {letter.attempts} {letter.attempts === 1 ? 'try' : 'tries'},{' '}
                  {new Date(letter.diedAt).toLocaleString()}
                </p>
              </div>
              <Replay id={letter.id} />
            </li>
          ))}
        </ul>
      )}
    </section>
  )
}

function Replay({ id }: { readonly id: string }) {
  const { http } = useService()
  const client = useQueryClient()
  const replay = useMutation({
    mutationFn: () => dataOf(http.POST('/api/operations/jobs/{id}/replay', { params: { path: { id } } })),
    onSuccess: () => toast('The job runs again.'),
    onError: (error) => toast(error.message),
    onSettled: () => client.invalidateQueries({ queryKey }),
  })
  return (
    <Button reason={replay.isPending ? 'It is being started.' : undefined} onClick={() => replay.mutate()}>
      Run again
    </Button>
  )
}
