import { dataOf, type Paths } from '@seaworthy/client'
import { Button, Confirm, toast, useService } from '@seaworthy/ui'
import { useMutation, useQueryClient } from '@tanstack/react-query'
import { useState } from 'react'
import { ago } from '../settings/when.ts'
import { KeyForm } from './key-form.tsx'
import { keysQueryKey } from './keys-query.ts'

type Key = Paths['/api/vault/provider-keys']['get']['responses'][200]['content']['application/json']['items'][number]

/** Enough to recognise a key by, and its end. */
export function KeyLine({ of: { id, name, lastFour, createdAt, updatedAt } }: { readonly of: Key }) {
  const { http } = useService()
  const client = useQueryClient()
  const [doing, setDoing] = useState<'replace' | 'remove'>()
  const remove = useMutation({
    mutationFn: () => dataOf(http.DELETE('/api/vault/provider-keys/{id}', { params: { path: { id } } })),
    onSuccess: () => toast(`The key of ${name} is forgotten.`),
    onError: (error) => toast(error.message),
    onSettled: () => client.invalidateQueries({ queryKey: keysQueryKey }),
  })
  if (doing === 'replace')
    return (
      <li>
        <KeyForm name={name} onDone={() => setDoing(undefined)} />
      </li>
    )
  return (
    <li>
      <div>
        <strong>{name}</strong>{' '}
        <code className="soft small">
          <span aria-hidden="true">••••</span>
          <span className="visually-hidden">ends with</span> {lastFour}
        </code>
        <p className="soft small">
          {updatedAt === createdAt ? `added ${ago(createdAt)}` : `replaced ${ago(updatedAt)}, added ${ago(createdAt)}`}
        </p>
      </div>
      <div className="row">
        <Button aria-label={`Replace the key of ${name}`} onClick={() => setDoing('replace')}>
          Replace
        </Button>
        <Button
          kind="danger"
          aria-label={`Remove the key of ${name}`}
          disabled={remove.isPending}
          onClick={() => setDoing('remove')}
        >
          Remove
        </Button>
      </div>
      {doing === 'remove' && (
        <Confirm
          title={`Forget the key of ${name}?`}
          action="Forget it"
          onConfirm={() => remove.mutate()}
          onClose={() => setDoing(undefined)}
        >
          Whatever needs it stops working. We keep no copy; the provider knows the key until you revoke it there.
        </Confirm>
      )}
    </li>
  )
}
