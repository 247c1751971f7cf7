import { ApiError } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault } from '@seaworthy/ui'
import type { FormEvent, ReactNode } from 'react'

export interface Credentials {
  readonly email: string
  readonly password: string
}

interface CredentialsFormProps {
  readonly title: string
  readonly action: string
  readonly passwordHint?: string
  readonly newPassword?: boolean
  readonly error: unknown
  readonly busy: boolean
  readonly onSubmit: (credentials: Credentials) => void
  readonly children?: ReactNode
}

/** E-mail and password. What was typed stays when something is wrong with it, and when it was typed before this came to life. */
export function CredentialsForm({
  title,
  action,
  passwordHint,
  newPassword,
  error,
  busy,
  onSubmit,
  children,
}: CredentialsFormProps) {
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault()
    const entered = new FormData(event.currentTarget)
    onSubmit({ email: String(entered.get('email')), password: String(entered.get('password')) })
  }
  const inFields = error instanceof ApiError && (error.problem.fields?.length ?? 0) > 0
  return (
    <div className="page form-page">
      {/* `dialog`: pressed before the code has come, the button does nothing, and no password stands in an address. */}
      <form className="card form" method="dialog" onSubmit={submit}>
        <h1>{title}</h1>
        {error !== undefined && error !== null && !inFields && <Failure error={error} />}
        <Field
          label="E-mail"
          type="email"
          name="email"
          autoComplete="email"
          required
          fault={fieldFault(error, 'email')}
        />
        <Field
          label="Password"
          type="password"
          name="password"
          autoComplete={newPassword ? 'new-password' : 'current-password'}
          required
          minLength={newPassword ? 8 : 1}
          maxLength={128}
          fault={fieldFault(error, 'password')}
          {...(passwordHint ? { hint: passwordHint } : {})}
        />
        <Button kind="main" type="submit" disabled={busy}>
          {busy ? 'One moment' : action}
        </Button>
        {children}
      </form>
    </div>
  )
}
