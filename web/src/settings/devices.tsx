import { dataOf } from '@seaworthy/client'
import { Button, Failure, Skeleton, toast, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { nameOfDevice } from './device-name.ts'
import type { Sensitive } from './sensitive.tsx'
import { ago, moment } from './when.ts'

const queryKey = ['identity', 'sessions']

/** Where one is signed in, and the end of what one does not know. */
export function Devices({ sensitive }: { readonly sensitive: Sensitive }) {
  const { http } = useService()
  const client = useQueryClient()
  const sessions = useQuery({ queryKey, queryFn: () => dataOf(http.GET('/api/identity/sessions')) })
  const onSettled = () => client.invalidateQueries({ queryKey })
  const end = useMutation({
    mutationFn: (id: string) =>
      sensitive.run(() => dataOf(http.DELETE('/api/identity/sessions/{id}', { params: { path: { id } } }))),
    onSuccess: () => toast('Signed out there.'),
    onError: (error) => toast(error.message),
    onSettled,
  })
  const endOthers = useMutation({
    mutationFn: () => sensitive.run(() => dataOf(http.POST('/api/identity/sessions/end-others'))),
    onSuccess: ({ ended }) => toast(ended === 1 ? 'Signed out in one other place.' : `Signed out in ${ended} places.`),
    onError: (error) => toast(error.message),
    onSettled,
  })
  const items = sessions.data?.items ?? []
  return (
    <section className="setting" aria-labelledby="devices">
      <div>
        <h2 id="devices">Where you are signed in</h2>
        <p className="soft">Something you do not know? End it, then change your password.</p>
      </div>
      {sessions.isPending && <Skeleton shape="figures" />}
      {sessions.error && <Failure error={sessions.error} onRetry={() => void sessions.refetch()} />}
      {sessions.data && (
        <ul className="card lines">
          {items.map((item) => (
            <li key={item.id}>
              <div>
                <strong title={item.device}>{nameOfDevice(item.device)}</strong>{' '}
                {item.current && (
                  <span className="chip" data-kind="good">
                    this one
                  </span>
                )}
                <p className="soft small">
                  from {item.network}, used {ago(item.usedAt)}, since {moment(item.createdAt)}
                </p>
              </div>
              {!item.current && (
                <Button
                  disabled={end.isPending}
                  aria-label={`Sign out on ${nameOfDevice(item.device)}`}
                  onClick={() => end.mutate(item.id)}
                >
                  Sign out
                </Button>
              )}
            </li>
          ))}
        </ul>
      )}
      {items.length > 1 && (
        <div className="row">
          <Button kind="danger" disabled={endOthers.isPending} onClick={() => endOthers.mutate()}>
            Sign out everywhere else
          </Button>
        </div>
      )}
    </section>
  )
}
