import { Button, Failure, Skeleton, useService } from '@seaworthy/ui'
import { useInfiniteQuery } from '@tanstack/react-query'
import './credits.css'
import { creditsQuery } from './queries.ts'
import { useLiveRuns } from './use-live-runs.ts'

const words = { grant: 'received', hold: 'set aside', capture: 'spent', release: 'given back' } as const
/** What it changed in what there is to spend. */
const signs = { grant: '+', hold: '−', capture: '−', release: '±' } as const

/** What there is, and every gift and effect that changed it. */
export function CreditsPage() {
  const credits = useInfiniteQuery(creditsQuery(useService()))
  useLiveRuns()
  const now = credits.data?.pages[0]
  const entries = credits.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <div className="page narrow">
      <h1>Credits</h1>
      {credits.isError && <Failure error={credits.error} onRetry={() => void credits.refetch()} />}
      {credits.isPending && <Skeleton shape="figures" />}
      {now && (
        <dl className="balance">
          <div>
            <dt>To spend</dt>
            <dd className="number">{now.available}</dd>
          </div>
          <div>
            <dt>Set aside</dt>
            <dd className="number">{now.held}</dd>
          </div>
          <div>
            <dt>Spent</dt>
            <dd className="number">{now.spent}</dd>
          </div>
        </dl>
      )}
      <p className="soft small">
        Credits are set aside when an effect starts, spent when it is done, and given back when it fails or you cancel
        it.
      </p>
      <ol className="ledger">
        {entries.map(({ id, what, kind, amount, createdAt }) => (
          <li key={id}>
            <span>
              <strong>{what}</strong>
              <br />
              <span className="soft small">
                {amount} {amount === 1 ? 'credit' : 'credits'} {words[kind]},{' '}
                <time dateTime={createdAt}>{new Date(createdAt).toLocaleString()}</time>
              </span>
            </span>
            <span className="number amount" data-kind={kind}>
              {signs[kind]}
              {kind === 'release' ? 0 : amount}
            </span>
          </li>
        ))}
      </ol>
      {credits.hasNextPage && (
        <Button onClick={() => void credits.fetchNextPage()} disabled={credits.isFetchingNextPage}>
          Older
        </Button>
      )}
    </div>
  )
}
