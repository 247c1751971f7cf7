import { dataOf, type Paths } from '@seaworthy/client'
import { Button, Failure, Skeleton, toast, useService, useSession } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { ConsentHistory } from './consent-history.tsx'

type Asked = Paths['/api/privacy/consents']['get']['responses'][200]['content']['application/json']['items'][number]

/** Everything about consents begins with it. */
const queryKey = ['privacy', 'consents'] as const

/** What may leave this service only when the account agrees. Taking it back is as easy as giving it. */
export function Consents() {
  const { http } = useService()
  const consents = useQuery({
    queryKey: [...queryKey, 'asked'],
    queryFn: async () => (await dataOf(http.GET('/api/privacy/consents'))).items,
  })
  return (
    <section className="setting" aria-labelledby="consents">
      <div>
        <h2 id="consents">What you agree to</h2>
        <p className="soft">
          {consents.data?.length === 0
            ? 'Nothing: no app here passes your data on to another service.'
            : 'None of this happens before you agree, and you can take it back at any time.'}
        </p>
      </div>
      {consents.isPending && <Skeleton shape="line" />}
      {consents.error && <Failure error={consents.error} onRetry={() => void consents.refetch()} />}
      {consents.data && consents.data.length > 0 && (
        <ul className="card lines">
          {consents.data.map((asked) => (
            <Line key={asked.purpose} of={asked} />
          ))}
        </ul>
      )}
      <ConsentHistory queryKey={[...queryKey, 'history']} />
    </section>
  )
}

function Line({ of: { purpose, title, text, version, data, recipient, given, decision } }: { readonly of: Asked }) {
  const { http } = useService()
  const { user } = useSession()
  const client = useQueryClient()
  const isAdmin = user?.role === 'owner' || user?.role === 'admin'
  const params = { path: { purpose } }
  const decide = useMutation({
    mutationFn: () =>
      given
        ? dataOf(http.DELETE('/api/privacy/consents/{purpose}', { params }))
        : dataOf(http.PUT('/api/privacy/consents/{purpose}', { params, body: { version } })),
    onSuccess: () => toast(given ? 'Taken back, from now on.' : 'You agree. You can take it back here.'),
    onError: (error) => toast(error.message),
    onSettled: () => client.invalidateQueries({ queryKey }),
  })
  return (
    <li>
      <div>
        <strong>{title}</strong>{' '}
        {given && (
          <span className="chip" data-kind="good">
            agreed
          </span>
        )}
        <p>{text}</p>
        <p className="soft small">
          {data.join(', ')}, {recipient ? `seen by ${recipient}` : 'seen by nobody outside this service'}
          {decision && `. ${wordsFor(decision, given)}`}
        </p>
      </div>
      <Button
        aria-label={`${given ? 'Take back' : 'Agree'}: ${title}`}
        reason={isAdmin ? undefined : 'This needs the role admin.'}
        disabled={decide.isPending}
        onClick={() => decide.mutate()}
      >
        {given ? 'Take back' : 'Agree'}
      </Button>
    </li>
  )
}

function wordsFor({ given, at, byYou }: NonNullable<Asked['decision']>, still: boolean): string {
  const when = new Date(at).toLocaleDateString()
  const who = byYou ? 'you' : 'somebody of this account'
  if (given && !still) return `On ${when} ${who} agreed to an earlier text; this one is new`
  return `${given ? 'Agreed' : 'Taken back'} by ${who} on ${when}`
}
