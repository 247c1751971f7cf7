import { dataOf } from '@seaworthy/client'
import { Button, Failure, useService } from '@seaworthy/ui'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { type Sensitive, useSensitive } from './settings/sensitive.tsx'

/** Mail to people. Where no server delivers it, an operator reads it here and hands the link on. */
export function Outbox() {
  const { http } = useService()
  const mail = useInfiniteQuery({
    queryKey: ['operations', 'mail'],
    queryFn: ({ pageParam }) =>
      dataOf(
        http.GET('/api/operations/mail', {
          params: { query: { limit: 10, ...(pageParam ? { cursor: pageParam } : {}) } },
        }),
      ),
    initialPageParam: '',
    getNextPageParam: ({ next }) => next ?? undefined,
  })
  // A link in a mail opens somebody's account: whoever reads one has just shown who they are.
  const sensitive = useSensitive()
  const [first] = mail.data?.pages ?? []
  if (!first && mail.isError) return <Failure error={mail.error} onRetry={() => void mail.refetch()} />
  if (!first) return null
  const items = mail.data?.pages.flatMap((page) => page.items) ?? []
  return (
    <section aria-labelledby="outbox">
      <h2 id="outbox">Mail</h2>
      {!first.delivers && (
        <p className="soft">
          No server delivers mail: it stays here until <code>SMTP_URL</code> and <code>MAIL_FROM</code> are set.
        </p>
      )}
      {items.length === 0 ? (
        <p className="soft">None was written in the last thirty days.</p>
      ) : (
        <ul className="card letters">
          {items.map((item) => (
            <li key={item.id}>
              <div>
                <strong>{item.subject}</strong>
                <p className="soft small number">
                  {item.to}, {new Date(item.createdAt).toLocaleString()}, {item.state}
                  {item.problem ? `: ${item.problem}` : ''}
                </p>
              </div>
              {!first.delivers && item.state === 'waiting' && (
                <Letter id={item.id} subject={item.subject} sensitive={sensitive} />
              )}
            </li>
          ))}
        </ul>
      )}
      {mail.hasNextPage && (
        <Button disabled={mail.isFetchingNextPage} onClick={() => void mail.fetchNextPage()}>
          Show older ones
        </Button>
      )}
      {sensitive.question}
    </section>
  )
}

interface LetterProps {
  readonly id: string
  readonly subject: string
  readonly sensitive: Sensitive
}

function Letter({ id, subject, sensitive }: LetterProps) {
  const { http } = useService()
  const read = useMutation({
    mutationFn: () => sensitive.run(() => dataOf(http.GET('/api/operations/mail/{id}', { params: { path: { id } } }))),
  })
  if (read.error) return <Failure error={read.error} onRetry={() => read.mutate()} />
  if (!read.data)
    return (
      <Button disabled={read.isPending} aria-label={`Read: ${subject}`} onClick={() => read.mutate()}>
        Read
      </Button>
    )
  const { paragraphs, action } = read.data
  return (
    <div className="letter small">
      {paragraphs.length === 0 && <p>What it said is not kept any more.</p>}
      {paragraphs.map((paragraph) => (
        <p key={paragraph}>{paragraph}</p>
      ))}
      {action && (
        <p>
          {action.label}: <a href={action.url}>{action.url}</a>
        </p>
      )}
    </div>
  )
}
