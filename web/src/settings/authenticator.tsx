import { dataOf } from '@seaworthy/client'
import { Button, Confirm, Failure, Skeleton, toast, useService } from '@seaworthy/ui'
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query'
import { lazy, Suspense, useState } from 'react'
import { RecoveryCodes } from './recovery-codes.tsx'
import type { Sensitive } from './sensitive.tsx'

const queryKey = ['identity', 'totp']
/** What draws its picture is needed once in a life. */
const EnrolApp = lazy(async () => ({ default: (await import('./enrol-app.tsx')).EnrolApp }))

/** The second step of signing in: an app that makes codes. */
export function Authenticator({ sensitive }: { readonly sensitive: Sensitive }) {
  const { http } = useService()
  const client = useQueryClient()
  const [asking, setAsking] = useState<'remove' | 'renew'>()
  const [codes, setCodes] = useState<readonly string[]>()
  const state = useQuery({ queryKey, queryFn: () => dataOf(http.GET('/api/identity/totp')) })
  const onSettled = () => client.invalidateQueries({ queryKey })
  const enrol = useMutation({
    mutationFn: () => sensitive.run(() => dataOf(http.POST('/api/identity/totp/enrol'))),
    onError: (error) => toast(error.message),
  })
  const remove = useMutation({
    mutationFn: () => sensitive.run(() => dataOf(http.DELETE('/api/identity/totp'))),
    onSuccess: () => toast('Signing in needs no code any more.'),
    onError: (error) => toast(error.message),
    onSettled,
  })
  const renew = useMutation({
    mutationFn: () => sensitive.run(() => dataOf(http.POST('/api/identity/totp/recovery-codes'))),
    onSuccess: ({ recoveryCodes }) => setCodes(recoveryCodes),
    onError: (error) => toast(error.message),
    onSettled,
  })
  const done = (made: readonly string[]): void => {
    enrol.reset()
    setCodes(made)
    void onSettled()
  }
  return (
    <section className="setting" aria-labelledby="authenticator">
      <div>
        <h2 id="authenticator">Authenticator app</h2>
        <p className="soft">With it, a stolen password alone lets nobody in.</p>
      </div>
      {state.isPending && <Skeleton shape="line" />}
      {state.error && <Failure error={state.error} onRetry={() => void state.refetch()} />}
      {codes && <RecoveryCodes codes={codes} onKept={() => setCodes(undefined)} />}
      {state.data && !codes && !enrol.data && (
        <div className="card lines">
          <div className="line">
            <div>
              <strong>{state.data.totp ? 'Signing in needs a code' : 'Signing in needs no code'}</strong>
              {state.data.totp && (
                <p className={state.data.recoveryCodes < 3 ? 'small warn' : 'soft small'}>
                  {state.data.recoveryCodes} of 10 recovery codes left. On a new phone, remove the app here and set it
                  up again.
                </p>
              )}
            </div>
            {state.data.totp ? (
              <div className="row">
                <Button disabled={renew.isPending} onClick={() => setAsking('renew')}>
                  New recovery codes
                </Button>
                <Button kind="danger" disabled={remove.isPending} onClick={() => setAsking('remove')}>
                  Remove
                </Button>
              </div>
            ) : (
              <Button kind="main" disabled={enrol.isPending} onClick={() => enrol.mutate()}>
                Set up
              </Button>
            )}
          </div>
        </div>
      )}
      {enrol.data && (
        <Suspense fallback={<Skeleton shape="card" />}>
          <EnrolApp of={enrol.data} sensitive={sensitive} onDone={done} onCancel={() => enrol.reset()} />
        </Suspense>
      )}
      {asking === 'remove' && (
        <Confirm
          title="Remove the app?"
          action="Remove it"
          onConfirm={() => remove.mutate()}
          onClose={() => setAsking(undefined)}
        >
          From then on the password alone is enough. The recovery codes end too.
        </Confirm>
      )}
      {asking === 'renew' && (
        <Confirm
          title="New recovery codes?"
          action="Make new ones"
          onConfirm={() => renew.mutate()}
          onClose={() => setAsking(undefined)}
        >
          Those that you kept sign you in no more.
        </Confirm>
      )}
    </section>
  )
}
