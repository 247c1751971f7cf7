import { dataOf } from '@seaworthy/client'
import { Button, Confirm, Failure, Skeleton, toast, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { KeyMade } from './key-made.tsx'
import type { WantedKey } from './new-key.tsx'
import { scopeWords } from './scope-words.ts'
import type { Sensitive } from './sensitive.tsx'
import { ago } from './when.ts'

const queryKey = ['identity', 'api-keys']
/** Few make one, and everybody waits for what the page needs. */
const NewKey = lazy(async () => ({ default: (await import('./new-key.tsx')).NewKey }))

/** Keys for programs of this account. */
export function ApiKeys({ sensitive }: { readonly sensitive: Sensitive }) {
  const { http } = useService()
  const client = useQueryClient()
  const [making, setMaking] = useState(false)
  const [ending, setEnding] = useState<{ readonly id: string; readonly name: string }>()
  const keys = useQuery({ queryKey, queryFn: () => dataOf(http.GET('/api/identity/api-keys')) })
  const onSettled = () => client.invalidateQueries({ queryKey })
  const create = useMutation({
    mutationFn: (body: WantedKey) => sensitive.run(() => dataOf(http.POST('/api/identity/api-keys', { body }))),
    onSuccess: () => setMaking(false),
    onSettled,
  })
  const revoke = useMutation({
    mutationFn: (id: string) => dataOf(http.DELETE('/api/identity/api-keys/{id}', { params: { path: { id } } })),
    onSuccess: () => toast('This key opens nothing any more.'),
    onError: (error) => toast(error.message),
    onSettled,
  })
  return (
    <section className="setting" aria-labelledby="api-keys">
      <div>
        <h2 id="api-keys">API keys</h2>
        <p className="soft">For programs. A key does what you choose in this account, and nothing of these settings.</p>
      </div>
      {keys.isPending && <Skeleton shape="line" />}
      {keys.error && <Failure error={keys.error} onRetry={() => void keys.refetch()} />}
      {create.data && <KeyMade apiKey={create.data.key} onKept={() => create.reset()} />}
      {keys.data && keys.data.items.length > 0 && (
        <ul className="card lines">
          {keys.data.items.map((item) => (
            <li key={item.id}>
              <div>
                <strong>{item.name}</strong> <code className="soft small">{item.hint}</code>
                <p className="soft small">
                  may {item.scopes.map((scope) => scopeWords(scope).toLowerCase()).join(', ')},{' '}
                  {item.usedAt ? `used ${ago(item.usedAt)}` : 'never used'}
                  {item.expiresAt && `, until ${new Date(item.expiresAt).toLocaleDateString()}`}
                </p>
              </div>
              <Button
                kind="danger"
                disabled={revoke.isPending}
                aria-label={`Revoke ${item.name}`}
                onClick={() => setEnding(item)}
              >
                Revoke
              </Button>
            </li>
          ))}
        </ul>
      )}
      {making && keys.data ? (
        <Suspense fallback={<Skeleton shape="card" />}>
          <NewKey
            scopes={keys.data.scopes}
            error={create.error}
            busy={create.isPending}
            onMake={(wanted) => create.mutate(wanted)}
            onCancel={() => setMaking(false)}
          />
        </Suspense>
      ) : (
        <div className="row">
          <Button disabled={!keys.data} onClick={() => setMaking(true)}>
            Make a key
          </Button>
        </div>
      )}
      {ending && (
        <Confirm
          title={`Revoke ${ending.name}?`}
          action="Revoke it"
          onConfirm={() => revoke.mutate(ending.id)}
          onClose={() => setEnding(undefined)}
        >
          Programs that call with this key are refused from then on.
        </Confirm>
      )}
    </section>
  )
}
