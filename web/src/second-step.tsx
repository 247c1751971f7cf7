import { ApiError, dataOf, type SessionAnswer } from '@seaworthy/client'
import { Button, Failure, Field, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'

interface SecondStepProps {
  readonly ticket: string
  readonly onSignedIn: (answer: SessionAnswer) => void
  /** To the password again. */
  readonly onBack: () => void
}

/** The code that signing in waits for: of the app, or one of those for whoever lost it. */
export function SecondStep({ ticket, onSignedIn, onBack }: SecondStepProps) {
  const { http } = useService()
  const [code, setCode] = useState('')
  const [lost, setLost] = useState(false)
  const form = useRef<HTMLFormElement>(null)
  const focus = (): void => form.current?.querySelector('input')?.focus()
  useEffect(focus, [])
  const signIn = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/sign-in/code', { body: { ticket, code } })),
    onSuccess: onSignedIn,
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    signIn.mutate()
  }
  if (signIn.error instanceof ApiError && signIn.error.problem.code === 'challenge_expired')
    return (
      <div className="page form-page">
        <div className="card form">
          <h1>One more step</h1>
          <Failure error={signIn.error} />
          <Button kind="main" onClick={onBack}>
            Start again
          </Button>
        </div>
      </div>
    )
  return (
    <div className="page form-page">
      <form ref={form} className="card form" onSubmit={submit}>
        <h1>{lost ? 'A recovery code' : 'One more step'}</h1>
        {signIn.error && <Failure error={signIn.error} />}
        <Field
          label={lost ? 'Recovery code' : 'Six digits from your authenticator app'}
          name="code"
          value={code}
          required
          autoComplete="one-time-code"
          autoCapitalize="characters"
          spellCheck={false}
          inputMode={lost ? 'text' : 'numeric'}
          maxLength={50}
          onChange={(event) => setCode(event.target.value)}
          {...(lost ? { hint: 'One of the ten that you kept when you set up the app. Each works once.' } : {})}
        />
        <Button kind="main" type="submit" disabled={signIn.isPending}>
          {signIn.isPending ? 'One moment' : 'Sign in'}
        </Button>
        <div className="row">
          <Button
            kind="quiet"
            onClick={() => {
              setLost(!lost)
              setCode('')
              signIn.reset()
              focus()
            }}
          >
            {lost ? 'Use the app' : 'I lost my phone'}
          </Button>
          <Button kind="quiet" onClick={onBack}>
            Start again
          </Button>
        </div>
      </form>
    </div>
  )
}
