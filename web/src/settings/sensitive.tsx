import { ApiError, dataOf } from '@seaworthy/client'
import { Button, Failure, Field, useService } from '@seaworthy/ui'
import { useMutation } from '@tanstack/react-query'
import { type FormEvent, type ReactNode, useEffect, useRef, useState } from 'react'

interface Waiting {
  readonly goOn: () => void
  readonly giveUp: () => void
}

export interface Sensitive {
  /** Does it; when the service wants to know again who is there, asks for the password first. */
  run<T>(work: () => Promise<T>): Promise<T>
  /** To be shown wherever `run` is used. */
  readonly question: ReactNode
}

export function useSensitive(): Sensitive {
  const [waiting, setWaiting] = useState<Waiting>()
  const run = async <T,>(work: () => Promise<T>): Promise<T> => {
    try {
      return await work()
    } catch (error) {
      if (!(error instanceof ApiError) || error.problem.code !== 'reauthentication_required') throw error
      await new Promise<void>((goOn, refuse) =>
        setWaiting({ goOn, giveUp: () => refuse(new Error('Nothing was changed.', { cause: error })) }),
      ).finally(() => setWaiting(undefined))
      return work()
    }
  }
  return { run, question: waiting && <PasswordQuestion {...waiting} /> }
}

function PasswordQuestion({ goOn, giveUp }: Waiting) {
  const { http, session } = useService()
  const [password, setPassword] = useState('')
  const dialog = useRef<HTMLDialogElement>(null)
  useEffect(() => dialog.current?.showModal(), [])
  const confirm = useMutation({
    mutationFn: () => dataOf(http.POST('/api/identity/confirm', { body: { password } })),
    onSuccess: (answer) => {
      session.accept(answer)
      goOn()
    },
  })
  const submit = (event: FormEvent): void => {
    event.preventDefault()
    confirm.mutate()
  }
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby="who-title" onClose={giveUp}>
      <form className="form" onSubmit={submit}>
        <h2 id="who-title">Is it you?</h2>
        <p className="soft">You signed in a while ago. Your password once more, then this goes on.</p>
        {confirm.error && <Failure error={confirm.error} />}
        <Field
          label="Password"
          type="password"
          autoComplete="current-password"
          required
          maxLength={128}
          value={password}
          onChange={(event) => setPassword(event.target.value)}
        />
        <div className="actions">
          <Button onClick={() => dialog.current?.close()}>Cancel</Button>
          <Button kind="main" type="submit" disabled={confirm.isPending}>
            {confirm.isPending ? 'One moment' : 'Confirm'}
          </Button>
        </div>
      </form>
    </dialog>
  )
}
