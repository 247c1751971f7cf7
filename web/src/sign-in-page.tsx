import { dataOf } from '@seaworthy/client'
import { useOnce, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { apps } from './apps.ts'
import { type Credentials, CredentialsForm } from './credentials-form.tsx'

export function SignInPage() {
  const { http, session } = useService()
  const navigate = useNavigate()
  const { next } = useSearch({ strict: false }) as { next?: string }
  const signIn = useMutation({
    mutationFn: (credentials: Credentials) => dataOf(http.POST('/api/identity/sign-in', { body: credentials })),
    onSuccess: async (answer) => {
      session.accept(answer)
      await navigate({ href: safePath(next) })
    },
  })
  const send = useOnce(signIn)
  return (
    <CredentialsForm title="Welcome back" action="Sign in" error={signIn.error} busy={signIn.isPending} onSubmit={send}>
      <p className="small soft">
        New here? <Link to="/sign-up">Make an account</Link>, it takes a moment.
      </p>
    </CredentialsForm>
  )
}

/** Only a path of our own: a link that leads here must not lead elsewhere from here. */
function safePath(next: string | undefined): string {
  return next && /^\/(?![/\\])/.test(next) ? next : (apps[0]?.home ?? '/')
}
