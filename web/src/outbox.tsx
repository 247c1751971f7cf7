import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Failure, Field, useService } from '@seaworthy/ui'
import { useInfiniteQuery, useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'

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
  const [first] = mail.data?.pages ?? []
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
              {!first.delivers && item.state === 'waiting' && <Letter id={item.id} subject={item.subject} />}
            </li>
          ))}
        </ul>
      )}
      {mail.hasNextPage && (
        <Button disabled={mail.isFetchingNextPage} onClick={() => void mail.fetchNextPage()}>
          Show older ones
        </Button>
      )}
    </section>
  )
}

function Letter({ id, subject }: { readonly id: string; readonly subject: string }) {
  const { http } = useService()
  const read = useMutation({
    mutationFn: () => dataOf(http.GET('/api/operations/mail/{id}', { params: { path: { id } } })),
  })
  if (read.error instanceof ApiError && read.error.problem.code === 'reauthentication_required')
    return <ShowItIsYou onShown={() => read.mutate()} />
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

/** A link in a mail opens somebody's account: whoever reads one has just shown who they are. */
function ShowItIsYou({ onShown }: { readonly onShown: () => void }) {
  const { http, session } = useService()
  const [password, setPassword] = useState('')
  const confirm = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/confirm', { body: { password } })),
    onSuccess: (answer) => {
      session.accept(answer)
      onShown()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    confirm.mutate()
  }
  return (
    <form className="letter" onSubmit={submit}>
      <Field
        label="Your password, to read it"
        type="password"
        name="password"
        autoComplete="current-password"
        required
        maxLength={128}
        value={password}
        onChange={(event) => setPassword(event.target.value)}
        fault={confirm.error ? 'That did not match.' : undefined}
      />
      <Button kind="main" type="submit" disabled={confirm.isPending}>
        Confirm that it is you
      </Button>
    </form>
  )
}
