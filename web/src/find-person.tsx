import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, toast, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useState } from 'react'
import { useSensitive } from './settings/sensitive.tsx'

type Act = 'end-sessions' | 'block' | 'unblock'

const done: Record<Act, string> = {
  'end-sessions': 'Signed out everywhere.',
  block: 'Blocked, and signed out everywhere.',
  unblock: 'May sign in again.',
}

/** Somebody by the whole address: their sign-ins and their way in, and nothing of what they keep here. */
export function FindPerson() {
  const { http } = useService()
  const [email, setEmail] = useState('')
  const sensitive = useSensitive()
  const find = useMutation({
    mutationFn: (wanted: string) =>
      dataOf(http.GET('/api/operations/people', { params: { query: { email: wanted } } })),
  })
  const act = useMutation({
    mutationFn: ({ id, what }: { id: string; what: Act }) =>
      sensitive.run(async () => {
        const params = { path: { id } }
        if (what === 'end-sessions') return dataOf(http.POST('/api/operations/people/{id}/end-sessions', { params }))
        const body = { blocked: what === 'block' }
        return dataOf(http.PUT('/api/operations/people/{id}/block', { params, body }))
      }),
    onSuccess: (_, { what }) => toast(done[what]),
    onError: (error) => toast(error.message),
    onSettled: () => find.mutate(email),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    find.mutate(email)
  }
  const [person] = find.data?.items ?? []
  return (
    <section aria-labelledby="people">
      <h2 id="people">People</h2>
      <form className="card find" onSubmit={submit}>
        <Field
          label="E-mail address"
          type="email"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
        />
        <Button type="submit" disabled={find.isPending}>
          Find
        </Button>
        {find.error && <Failure error={find.error} />}
        {find.data && !person && <p className="soft">Nobody has this address here.</p>}
        {person && (
          <div className="found">
            <p>
              <strong>{person.email}</strong> {person.blocked && <span className="chip">blocked</span>}
              <br />
              <span className="soft small">
                since {new Date(person.createdAt).toLocaleDateString()},{' '}
                {person.sessions === 0
                  ? 'signed in nowhere'
                  : `signed in in ${person.sessions} ${person.sessions === 1 ? 'place' : 'places'}`}
              </span>
            </p>
            <div className="row">
              <Button disabled={act.isPending} onClick={() => act.mutate({ id: person.id, what: 'end-sessions' })}>
                Sign out everywhere
              </Button>
              <Button
                kind={person.blocked ? 'plain' : 'danger'}
                disabled={act.isPending}
                onClick={() => act.mutate({ id: person.id, what: person.blocked ? 'unblock' : 'block' })}
              >
                {person.blocked ? 'Unblock' : 'Block'}
              </Button>
            </div>
          </div>
        )}
      </form>
      {sensitive.question}
    </section>
  )
}
