import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault, useService, useSession } from '@seaworthy/ui'
import { useMutation, useQuery } from '@tanstack/react-query'
import { MailCheck } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import type { Sensitive } from './sensitive.tsx'

/** The address that one signs in with, and another one in its place once it is confirmed. */
export function Address({ sensitive }: { readonly sensitive: Sensitive }) {
  const { http } = useService()
  const { user } = useSession()
  const [email, setEmail] = useState('')
  const me = useQuery({
    queryKey: ['identity', 'me', user?.id],
    queryFn: () => dataOf(http.GET('/api/identity/me')),
    staleTime: Number.POSITIVE_INFINITY,
  })
  const change = useMutation({
    mutationFn: () => sensitive.run(() => dataOf(http.POST('/api/identity/email/change', { body: { email } }))),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    change.mutate()
  }
  const inField = fieldFault(change.error, 'email')
  return (
    <section className="setting" aria-labelledby="address">
      <div>
        <h2 id="address">E-mail address</h2>
        <p className="soft">
          {me.data ? `${me.data.email}${me.data.emailVerified ? '' : ', not confirmed yet'}. ` : ''}
          Another one counts once you confirm it from its own mail.
        </p>
      </div>
      <form className="card form wide" onSubmit={submit}>
        {change.error && !inField && <Failure error={change.error} />}
        {change.isSuccess && (
          <p className="notice" data-kind="calm" role="status">
            <MailCheck size={18} aria-hidden="true" /> A mail is on its way to the new address. The link in it works for
            an hour.
          </p>
        )}
        <Field
          label="New e-mail address"
          type="email"
          autoComplete="email"
          required
          maxLength={254}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          fault={inField}
        />
        <div className="row">
          <Button type="submit" disabled={change.isPending}>
            {change.isPending ? 'One moment' : 'Use this address'}
          </Button>
        </div>
      </form>
    </section>
  )
}
