import { dataOf } from '@seaworthy/client'
import { Button, Empty, Failure, Skeleton, useService, useSession } from '@seaworthy/ui'
import { useQuery } from '@tanstack/react-query'
import { KeyRound, Plus } from 'lucide-react'
import { useState } from 'react'
import { accountsQuery } from '../members/account-queries.ts'
import '../settings/settings.css'
import { KeyForm } from './key-form.tsx'
import { KeyLine } from './key-line.tsx'
import { keysQueryKey } from './keys-query.ts'

/** Keys of other services that this account lets be used for it. */
export function ProviderKeysPage() {
  const service = useService()
  const { user } = useSession()
  const account = useQuery(accountsQuery(service)).data?.find(({ current }) => current)
  const isAdmin = user?.role === 'owner' || user?.role === 'admin'
  return (
    <div className="page narrow settings">
      <header className="setting">
        <h1>Provider keys</h1>
        <p className="soft">
          Keys of other services, such as an AI provider, for the work that is done in{' '}
          {account && !account.personal ? account.name : 'your account'}. They are stored sealed, and nobody is ever
          shown one again.
        </p>
      </header>
      {user && !isAdmin ? (
        <Empty icon={<KeyRound size={30} />} title="For admins and owners">
          Ask one of them when a key has to be added or replaced.
        </Empty>
      ) : (
        <Keys />
      )}
    </div>
  )
}

function Keys() {
  const { http } = useService()
  const [adding, setAdding] = useState(false)
  const keys = useQuery({ queryKey: keysQueryKey, queryFn: () => dataOf(http.GET('/api/vault/provider-keys')) })
  const items = keys.data?.items ?? []
  const add = (
    <Button kind={items.length ? 'plain' : 'main'} icon={<Plus size={18} />} onClick={() => setAdding(true)}>
      Add a key
    </Button>
  )
  if (keys.isPending) return <Skeleton shape="card" />
  if (keys.error) return <Failure error={keys.error} onRetry={() => void keys.refetch()} />
  return (
    <section className="setting" aria-label="Keys">
      {items.length > 0 && (
        <ul className="card lines">
          {items.map((item) => (
            <KeyLine key={item.id} of={item} />
          ))}
        </ul>
      )}
      {adding && <KeyForm taken={items.map(({ name }) => name)} onDone={() => setAdding(false)} />}
      {!adding && items.length > 0 && <div className="row">{add}</div>}
      {!adding && items.length === 0 && (
        <Empty icon={<KeyRound size={30} />} title="No keys yet" action={add}>
          Without one, everything here works with what this installation has itself.
        </Empty>
      )}
    </section>
  )
}
