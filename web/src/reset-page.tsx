import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Failure, fieldFault, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { KeyRound, Link2Off } from 'lucide-react'
import { type FormEvent, useState } from 'react'
import { LinkEnd } from './link-end.tsx'
import { useLinkToken } from './link-token.ts'
import { NewPassword } from './new-password.tsx'

/** A new password by the link of a mail. Afterwards one signs in with it, with the second factor if there is one. */
export function ResetPage() {
  const { http, session } = useService()
  const token = useLinkToken('/reset')
  const [password, setPassword] = useState('')
  const reset = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/password/reset', { body: { token: token ?? '', password } })),
    onSuccess: () => session.end(),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    reset.mutate()
  }
  const isOver = reset.error instanceof ApiError && reset.error.problem.code === 'link_expired'
  if (!token || isOver)
    return (
      <LinkEnd icon={<Link2Off size={28} />} title="This link is over">
        <p className="soft">It works once, for half an hour, and only the newest one.</p>
        <Link className="button" data-kind="main" to="/forgot">
          Send me a new one
        </Link>
      </LinkEnd>
    )
  if (reset.isSuccess)
    return (
      <LinkEnd icon={<KeyRound size={28} />} title="Your new password is set">
        <p className="soft">You were signed out everywhere. Sign in with the new one.</p>
        <Link className="button" data-kind="main" to="/sign-in">
          Sign in
        </Link>
      </LinkEnd>
    )
  const inField = fieldFault(reset.error, 'password')
  return (
    <div className="page form-page">
      <form className="card form" onSubmit={submit}>
        <h1>Choose a new password</h1>
        {reset.error && !inField && <Failure error={reset.error} />}
        <NewPassword value={password} onChange={setPassword} fault={inField} />
        <Button kind="main" type="submit" disabled={reset.isPending}>
          {reset.isPending ? 'One moment' : 'Set the new password'}
        </Button>
        <p className="small soft">This ends every sign-in to your account.</p>
      </form>
    </div>
  )
}
