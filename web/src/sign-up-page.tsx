import { dataOf } from '@seaworthy/client'
import { useOnce, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { Link, useNavigate, useSearch } from '@tanstack/react-router'
import { KeyRound } from 'lucide-react'
import { type Credentials, CredentialsForm } from './credentials-form.tsx'
import { newPasswordHint } from './new-password.tsx'
import { safePath } from './safe-path.ts'

export function SignUpPage() {
  const { http, session } = useService()
  const navigate = useNavigate()
  const { operator, next } = useSearch({ strict: false }) as { operator?: string; next?: string }
  const signUp = useMutation({
    mutationFn: (credentials: Credentials) =>
      dataOf(
        http.POST('/api/identity/sign-up', {
          body: { ...credentials, ...(operator ? { operatorToken: operator } : {}) },
        }),
      ),
    onSuccess: async (answer) => {
      if (answer) session.accept(answer)
      await navigate({ href: operator ? '/operations' : safePath(next) })
    },
  })
  const send = useOnce(signUp)
  return (
    <CredentialsForm
      title={operator ? 'Become the operator' : 'Make an account'}
      action={operator ? 'Make the operator account' : 'Make my account'}
      newPassword
      passwordHint={newPasswordHint}
      error={signUp.error}
      busy={signUp.isPending}
      onSubmit={send}
    >
      {operator && (
        <p className="notice" data-kind="calm">
          <KeyRound size={18} aria-hidden="true" /> This account will see how the whole installation runs. The link
          works once.
        </p>
      )}
      <p className="small soft">
        Already have one?{' '}
        <Link to="/sign-in" search={(now: object) => now}>
          Sign in
        </Link>
        .
      </p>
    </CredentialsForm>
  )
}
