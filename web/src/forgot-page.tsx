import { dataOf } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { Link } from '@tanstack/react-router'
import { MailCheck } from 'lucide-react'
import { type FormEvent, useState } from 'react'

/** Asks for the mail with the link. What it says is the same whether there is such an account or not. */
export function ForgotPage() {
  const { http } = useService()
  const [email, setEmail] = useState('')
  const ask = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/password/forgot', { body: { email } })),
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    ask.mutate()
  }
  return (
    <div className="page form-page">
      <form className="card form" onSubmit={submit}>
        <h1>Forgot your password?</h1>
        {ask.error && <Failure error={ask.error} />}
        {ask.isSuccess ? (
          <div className="notice" data-kind="calm" role="status">
            <MailCheck size={18} aria-hidden="true" />
            <div>
              If there is an account with this address, a mail is on its way to it. The link in it works for half an
              hour. Nothing there? Look among the unwanted mail.
            </div>
          </div>
        ) : (
          <p className="soft">Tell us your address, and we send you a link to choose a new one.</p>
        )}
        <Field
          label="E-mail"
          type="email"
          name="email"
          autoComplete="email"
          required
          maxLength={254}
          value={email}
          onChange={(event) => setEmail(event.target.value)}
          fault={fieldFault(ask.error, 'email')}
        />
        <Button kind={ask.isSuccess ? 'plain' : 'main'} type="submit" disabled={ask.isPending}>
          {ask.isPending ? 'One moment' : ask.isSuccess ? 'Send it again' : 'Send me the link'}
        </Button>
        <p className="small soft">
          Remembered it? <Link to="/sign-in">Sign in</Link>.
        </p>
      </form>
    </div>
  )
}
