import { dataOf } from '@seaworthy/client'
import { Button, Failure, useService } from '@seaworthy/ui'
import { useInfiniteQuery } from '@tanstack/react-query'

/** Every decision with the words it was about, once there is one. */
export function ConsentHistory({ queryKey }: { readonly queryKey: readonly string[] }) {
  const { http } = useService()
  const history = useInfiniteQuery({
    queryKey,
    queryFn: ({ pageParam }) =>
      dataOf(
        http.GET('/api/privacy/consents/history', {
          params: { query: { limit: 10, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
  })
  const items = history.data?.pages.flatMap((page) => page.items) ?? []
  if (history.error) return <Failure error={history.error} onRetry={() => void history.refetch()} />
  if (items.length === 0) return null
  return (
    <details className="decisions">
      <summary>What was agreed to and taken back until now</summary>
      <ul className="lines">
        {items.map(({ id, given, at, byYou, text, version }) => (
          <li key={id}>
            <div>
              <strong>{given ? 'Agreed' : 'Taken back'}</strong>{' '}
              <span className="soft small">
                {new Date(at).toLocaleString()}, {byYou ? 'you' : 'somebody of this account'}, version {version}
              </span>
              <p className="soft small">{text}</p>
            </div>
          </li>
        ))}
      </ul>
      {history.hasNextPage && (
        <Button disabled={history.isFetchingNextPage} onClick={() => void history.fetchNextPage()}>
          Show older ones
        </Button>
      )}
    </details>
  )
}
