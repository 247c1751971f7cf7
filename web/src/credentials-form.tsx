import { ApiError } from '@seaworthy/client'
import { Button, Failure, Field, fieldFault } from '@seaworthy/ui'
import { type FormEvent, type ReactNode, useState } from 'react'

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

/** E-mail and password. What was typed stays when something is wrong with it. */
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
  const [email, setEmail] = useState('')
  const [password, setPassword] = useState('')
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    onSubmit({ email, password })
  }
  const inFields = error instanceof ApiError && (error.problem.fields?.length ?? 0) > 0
  return (
    <div className="page form-page">
      <form className="card form" onSubmit={submit}>
        <h1>{title}</h1>
        {error !== undefined && error !== null && !inFields && <Failure error={error} />}
        <Field
          label="E-mail"
          type="email"
          name="email"
          autoComplete="email"
          required
          value={email}
          onChange={(event) => setEmail(event.target.value)}
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
          value={password}
          onChange={(event) => setPassword(event.target.value)}
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
