import { dataOf } from '@seaworthy/client'
import { Button, Failure, Skeleton, toast, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { Fingerprint } from 'lucide-react'
import { hasPasskeys, makePasskey } from '../passkeys-in-browser.ts'
import { nameOfDevice } from './device-name.ts'
import type { Sensitive } from './sensitive.tsx'
import { ago } from './when.ts'

const queryKey = ['identity', 'passkeys']

/** Signing in with the device instead of the password. */
export function Passkeys({ sensitive }: { readonly sensitive: Sensitive }) {
  const { http } = useService()
  const client = useQueryClient()
  const passkeys = useQuery({ queryKey, queryFn: () => dataOf(http.GET('/api/identity/passkeys')) })
  const onSettled = () => client.invalidateQueries({ queryKey })
  const add = useMutation({
    mutationFn: () =>
      sensitive.run(async () => {
        const { ticket, options } = await dataOf(http.POST('/api/identity/passkeys/begin'))
        const answer = await makePasskey(options)
        const name = nameOfDevice(navigator.userAgent)
        return dataOf(http.POST('/api/identity/passkeys', { body: { ticket, name, answer } }))
      }),
    onSuccess: () => toast('From now on this device signs you in.'),
    onSettled,
  })
  const remove = useMutation({
    mutationFn: (id: string) =>
      sensitive.run(() => dataOf(http.POST('/api/identity/passkeys/remove', { body: { id } }))),
    onSuccess: () => toast('This passkey opens nothing any more.'),
    onError: (error) => toast(error.message),
    onSettled,
  })
  return (
    <section className="setting" aria-labelledby="passkeys">
      <div>
        <h2 id="passkeys">Passkeys</h2>
        <p className="soft">
          Your fingerprint, face or device PIN instead of the password. Nothing to steal or forget.
        </p>
      </div>
      {passkeys.isPending && <Skeleton shape="line" />}
      {passkeys.error && <Failure error={passkeys.error} onRetry={() => void passkeys.refetch()} />}
      {add.error && <Failure error={add.error} />}
      {passkeys.data && passkeys.data.items.length > 0 && (
        <ul className="card lines">
          {passkeys.data.items.map((item) => (
            <li key={item.id}>
              <div>
                <strong>{item.name}</strong>
                <p className="soft small">{item.usedAt ? `used ${ago(item.usedAt)}` : `made ${ago(item.createdAt)}`}</p>
              </div>
              <Button kind="danger" disabled={remove.isPending} onClick={() => remove.mutate(item.id)}>
                Remove
              </Button>
            </li>
          ))}
        </ul>
      )}
      <div className="row">
        <Button
          icon={<Fingerprint size={18} />}
          reason={hasPasskeys() ? undefined : 'This browser knows no passkeys.'}
          disabled={add.isPending}
          onClick={() => add.mutate()}
        >
          {add.isPending ? 'Your device asks you' : 'Add a passkey'}
        </Button>
      </div>
    </section>
  )
}
