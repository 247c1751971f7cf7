import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Failure, Field, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, useEffect, useRef, useState } from 'react'

interface Asked {
  readonly go: () => void
  readonly stop: (reason: Error) => void
}

/**
 * For what the service lets through only shortly after somebody has shown who they are: asks for the password where it
 * wants it, and then does it. `dialog` belongs somewhere on the page.
 */
export function useFresh() {
  const [asked, setAsked] = useState<Asked>()
  const fresh = async <T,>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem.code !== 'reauthentication_required') throw error
      await new Promise<void>((go, stop) => setAsked({ go, stop }))
      return work()
    } finally {
      setAsked(undefined)
    }
  }
  return { fresh, dialog: asked ? <ConfirmIdentity asked={asked} /> : null }
}

function ConfirmIdentity({ asked }: { readonly asked: Asked }) {
  const { http, session } = useService()
  const dialog = useRef<HTMLDialogElement>(null)
  const [password, setPassword] = useState('')
  useEffect(() => dialog.current?.showModal(), [])
  const confirm = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/confirm', { body: { password } })),
    onSuccess: (answer) => {
      session.accept(answer)
      asked.go()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    confirm.mutate()
  }
  return (
    <dialog
      ref={dialog}
      className="dialog"
      aria-labelledby="confirm-identity"
      onClose={() => asked.stop(new Error('It was not confirmed, and nothing was changed.'))}
    >
      <form className="form" onSubmit={submit}>
        <h2 id="confirm-identity">Please confirm that it is you</h2>
        <p className="soft">This changes who can do what here, so it asks for your password once more.</p>
        {confirm.error && <Failure error={confirm.error} />}
        <Field
          label="Password"
          type="password"
          name="password"
          autoComplete="current-password"
          required
          maxLength={128}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <div className="actions">
          <Button onClick={() => dialog.current?.close()}>Not now</Button>
          <Button kind="main" type="submit" disabled={confirm.isPending}>
            {confirm.isPending ? 'One moment' : 'Go on'}
          </Button>
        </div>
      </form>
    </dialog>
  )
}
