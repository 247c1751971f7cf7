import { Button, Failure, Skeleton, useService } from '@seaworthy/ui'
import { useInfiniteQuery } from '@tanstack/react-query'
import './credits.css'
import { creditsQuery } from './queries.ts'
import { useLiveRuns } from './use-live-runs.ts'

const words = {
  grant: { text: 'Received', sign: '+' },
  hold: { text: 'Set aside', sign: '−' },
  capture: { text: 'Spent', sign: '' },
  release: { text: 'Given back', sign: '+' },
} as const

/** What there is, and every change of it. */
export function CreditsPage() {
  const credits = useInfiniteQuery(creditsQuery(useService()))
  useLiveRuns()
  const now = credits.data?.pages[0]
  const lines = credits.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <div className="page narrow">
      <h1>Credits</h1>
      {credits.isError && <Failure error={credits.error} onRetry={() => void credits.refetch()} />}
      {credits.isPending && <Skeleton height={120} />}
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
        {lines.map((line) => (
          <li key={line.id}>
            <span>
              <strong>{line.what}</strong>
              <br />
              <span className="soft small">
                {words[line.kind].text},{' '}
                <time dateTime={line.createdAt}>{new Date(line.createdAt).toLocaleString()}</time>
              </span>
            </span>
            <span className="number amount" data-kind={line.kind}>
              {words[line.kind].sign}
              {line.amount}
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
