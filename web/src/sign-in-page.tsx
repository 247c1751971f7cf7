import { dataOf, type SessionAnswer } from '@seaworthy/client'
import { Button, useOnce, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { KeyRound } from 'lucide-react'
import { useState, useSyncExternalStore } from 'react'
import { type Credentials, CredentialsForm } from './credentials-form.tsx'
import { askPasskey, hasPasskeys } from './passkeys-in-browser.ts'
import { safePath } from './safe-path.ts'
import { SecondStep } from './second-step.tsx'

export function SignInPage() {
  const { http } = useService()
  const enter = useEnter()
  const [ticket, setTicket] = useState<string>()
  // Made ahead with the button, as nearly every browser has them.
  const withPasskeys = useSyncExternalStore(never, hasPasskeys, () => true)
  const signIn = useMutation({
    mutationFn: (credentials: Credentials) => dataOf(http.POST('/api/identity/sign-in', { body: credentials })),
    onSuccess: (answer) => ('ticket' in answer ? setTicket(answer.ticket) : enter(answer)),
  })
  const send = useOnce(signIn)
  const withPasskey = useMutation({
    mutationFn: async () => {
      const { ticket: waiting, options } = await dataOf(http.POST('/api/identity/passkeys/sign-in/begin'))
      const answer = await askPasskey(options)
      return dataOf(http.POST('/api/identity/passkeys/sign-in', { body: { ticket: waiting, answer } }))
    },
    onSuccess: enter,
  })
  if (ticket)
    return (
      <SecondStep ticket={ticket} onSignedIn={(answer) => void enter(answer)} onBack={() => setTicket(undefined)} />
    )
  return (
    <CredentialsForm
      title="Welcome back"
      action="Sign in"
      error={withPasskey.error ?? signIn.error}
      busy={signIn.isPending}
      onSubmit={(credentials) => {
        withPasskey.reset()
        send(credentials)
      }}
    >
      {withPasskeys && (
        <Button icon={<KeyRound size={18} />} disabled={withPasskey.isPending} onClick={() => withPasskey.mutate()}>
          {withPasskey.isPending ? 'Your device asks you' : 'Sign in with a passkey'}
        </Button>
      )}
      <p className="small soft">
        <Link to="/forgot">Forgot your password?</Link>
      </p>
      <p className="small soft">
        New here?{' '}
        <Link to="/sign-up" search={(now: object) => now}>
          Make an account
        </Link>
        , it takes a moment.
      </p>
    </CredentialsForm>
  )
}

/** What a browser can does not change. */
const never = () => () => undefined

/** Takes the session over and goes where the person wanted to go. */
function useEnter() {
  const { session } = useService()
  const navigate = useNavigate()
  const { next } = useSearch({ strict: false }) as { next?: string }
  return async (answer: SessionAnswer): Promise<void> => {
    session.accept(answer)
    await navigate({ href: safePath(next) })
  }
}
